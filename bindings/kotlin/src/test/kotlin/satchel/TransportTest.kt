package satchel

import com.sun.net.httpserver.HttpExchange
import com.sun.net.httpserver.HttpServer
import java.net.InetAddress
import java.net.InetSocketAddress
import java.net.ServerSocket
import kotlin.concurrent.thread
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.BeforeEach
import org.junit.jupiter.api.Test
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.MethodSource

/** Both transports send a request as it is and tell an answer from none. */
class TransportTest {
    private lateinit var server: HttpServer
    private var handler: (HttpExchange) -> Unit = {}

    @BeforeEach
    fun serve() {
        server = HttpServer.create(InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0)
        server.createContext("/") { exchange -> exchange.use { handler(it) } }
        server.start()
    }

    @AfterEach
    fun stop() = server.stop(0)

    private val base get() = "http://127.0.0.1:${server.address.port}"

    private fun task(method: String, path: String, body: ByteArray = ByteArray(0), limit: Int = 1_000) = HttpTask(
        id = "1",
        purpose = TaskPurpose.PROOF,
        method = method,
        url = base + path,
        headers = listOf(HttpHeader("content-type", "application/test"), HttpHeader("Signature", "sig=:AA==:")),
        body = body,
        maxAnswerBytes = limit.toUInt(),
    )

    private fun HttpExchange.answer(status: Int, body: String) {
        val bytes = body.toByteArray()
        sendResponseHeaders(status, if (bytes.isEmpty()) -1 else bytes.size.toLong())
        responseBody.use { it.write(bytes) }
    }

    @ParameterizedTest
    @MethodSource("transports")
    fun `method, path, headers and body arrive as given`(transport: HttpTransport) {
        val seen = mutableListOf<String>()
        handler = {
            seen += it.requestMethod + " " + it.requestURI
            seen += it.requestHeaders.getFirst("content-type") + " " + it.requestHeaders.getFirst("signature")
            seen += String(it.requestBody.readBytes())
            it.responseHeaders.add("Upload-Offset", "7")
            it.answer(201, "made")
        }
        val answer = transport.send(task("POST", "/v1/log?after=-1&x=%E7%94%B2", "four".toByteArray()))!!
        assertEquals(listOf("POST /v1/log?after=-1&x=%E7%94%B2", "application/test sig=:AA==:", "four"), seen)
        assertEquals(201 to "made", answer.status.toInt() to String(answer.body))
        assertEquals("7", answer.headers.single { it.name.equals("upload-offset", ignoreCase = true) }.value)
    }

    @ParameterizedTest
    @MethodSource("transports")
    fun `errors and redirects are answers`(transport: HttpTransport) {
        for (status in listOf(401, 404, 460, 500)) {
            handler = { it.answer(status, "why $status") }
            val answer = transport.send(task("POST", "/", "body".toByteArray()))!!
            assertEquals(status to "why $status", answer.status.toInt() to String(answer.body))
        }
        handler = {
            it.responseHeaders.add("Location", "$base/elsewhere")
            it.answer(302, "")
        }
        assertEquals(302, transport.send(task("GET", "/"))!!.status.toInt())
    }

    @ParameterizedTest
    @MethodSource("transports")
    fun `HEAD has headers and no body`(transport: HttpTransport) {
        handler = {
            it.responseHeaders.add("Upload-Offset", "42")
            it.sendResponseHeaders(200, -1)
        }
        val answer = transport.send(task("HEAD", "/v1/proofs/aa"))!!
        assertEquals("42", answer.headers.single { it.name.equals("upload-offset", ignoreCase = true) }.value)
        assertEquals(0, answer.body.size)
    }

    @ParameterizedTest
    @MethodSource("transports")
    fun `an endless answer is read up to the limit`(transport: HttpTransport) {
        handler = {
            it.sendResponseHeaders(200, 0)
            try {
                repeat(100_000) { _ -> it.responseBody.write(ByteArray(1_000) { 'x'.code.toByte() }) }
            } catch (_: java.io.IOException) {
                // The client hung up, as it should.
            }
        }
        val answer = transport.send(task("GET", "/", limit = 2_500))!!
        assertArrayEquals(ByteArray(2_500) { 'x'.code.toByte() }, answer.body)
    }

    @ParameterizedTest
    @MethodSource("transports")
    fun `a broken or silent server is no answer`(transport: HttpTransport) {
        val half = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"
        assertNull(outcome(transport, oneShot { it.getOutputStream().write(half.toByteArray()) }), "half a body")
        assertNull(outcome(transport, oneShot { Thread.sleep(3_000) }), "silence")
        val drip = oneShot { socket ->
            socket.getOutputStream().write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n".toByteArray())
            repeat(30) {
                socket.getOutputStream().write('x'.code)
                Thread.sleep(100)
            }
        }
        assertNull(outcome(transport, drip), "a body that never ends in time")
        val closed = ServerSocket(0).use { it.localPort }
        assertNull(outcome(transport, closed), "nobody listens")
    }

    @Test
    fun `PATCH goes through on the JVM, and the connection of Android says that it cannot here`() {
        handler = { it.answer(200, it.requestMethod) }
        val patch = task("PATCH", "/v1/proofs/aa", "rest".toByteArray())
        assertEquals("PATCH", String(JvmHttpTransport().send(patch)!!.body))
        assertNull(runCatching { UrlConnectionTransport().send(patch) }.getOrNull())
    }

    private fun outcome(transport: HttpTransport, port: Int): HttpAnswer? {
        val before = System.nanoTime()
        val answer = runCatching {
            transport.send(task("GET", "/").copy(url = "http://127.0.0.1:$port/"))
        }.getOrNull()
        assertTrue(System.nanoTime() - before < 2_500_000_000, "bounded time")
        return answer
    }

    private fun oneShot(talk: (java.net.Socket) -> Unit): Int {
        val socket = ServerSocket(0, 1, InetAddress.getLoopbackAddress())
        thread(isDaemon = true) {
            socket.use { listening ->
                runCatching {
                    listening.accept().use { client ->
                        client.getInputStream().read(ByteArray(4_096))
                        talk(client)
                    }
                }
            }
        }
        return socket.localPort
    }

    companion object {
        @JvmStatic
        fun transports(): List<HttpTransport> {
            val timeouts = HttpTimeouts(connectMs = 1_000, totalMs = 1_000)
            return listOf(JvmHttpTransport(timeouts), UrlConnectionTransport(timeouts))
        }
    }
}
