package satchel

import java.io.ByteArrayOutputStream
import java.io.InputStream
import java.net.HttpURLConnection
import java.net.URL
import java.security.KeyStore
import javax.net.ssl.HttpsURLConnection

/**
 * The transport for Android, over [HttpURLConnection], which is OkHttp there.
 *
 * On a desktop JVM that class refuses `PATCH`, with which a cut upload is resumed; use `JvmHttpTransport`
 * there. Here such a request counts as failed.
 *
 * @param roots whose certificates are trusted; `null`: the system's.
 */
class UrlConnectionTransport(
    private val timeouts: HttpTimeouts = HttpTimeouts(),
    roots: KeyStore? = null,
) : HttpTransport {
    private val tls = PinnedTls(roots)

    @Volatile
    private var underWay: HttpURLConnection? = null

    override fun send(task: HttpTask): HttpAnswer? {
        val deadlineNs = System.nanoTime() + timeouts.totalMs * 1_000_000L
        if (tls.refuses(task.url)) return null
        val connection = URL(task.url).openConnection() as? HttpURLConnection ?: return null
        underWay = connection
        try {
            // Connections are kept by their factory: those under other pins are not used again.
            if (connection is HttpsURLConnection) connection.sslSocketFactory = tls.context.socketFactory
            connection.requestMethod = task.method
            connection.instanceFollowRedirects = false
            connection.useCaches = false
            connection.connectTimeout = timeouts.connectMs
            connection.readTimeout = timeouts.totalMs
            task.headers.forEach { connection.setRequestProperty(it.name, it.value) }
            if (task.body.isNotEmpty()) {
                // Not in streaming mode: that turns every 401 into an exception, and the hub corrects the
                // phone's clock in a 401. The stack may so repeat a request; the hub takes it once.
                connection.doOutput = true
                connection.outputStream.use { it.write(task.body) }
            }
            val status = connection.responseCode
            if (status < 0) return null
            val stream = if (status >= 400) connection.errorStream else connection.inputStream
            val limit = task.maxAnswerBytes.toInt()
            val body = stream?.use { readBounded(it, limit, deadlineNs) ?: return null } ?: ByteArray(0)
            // The desktop JVM reports a body that breaks off as a plain end.
            val cutOff = body.size < minOf(limit.toLong(), connection.contentLengthLong)
            if (cutOff && task.method != "HEAD") return null
            return HttpAnswer(status.toUShort(), headersOf(connection.headerFields), body)
        } finally {
            underWay = null
            connection.disconnect()
        }
    }

    override fun trust(hub: HubAddress) {
        tls.take(hub)
    }

    override fun abort() {
        underWay?.disconnect()
    }

    /** The body up to the limit, or `null` when time is up: the read timeout alone starts anew with each byte. */
    private fun readBounded(stream: InputStream, limit: Int, deadlineNs: Long): ByteArray? {
        val body = ByteArrayOutputStream()
        val chunk = ByteArray(16 * 1024)
        while (body.size() < limit) {
            if (System.nanoTime() > deadlineNs) return null
            val count = stream.read(chunk, 0, minOf(chunk.size, limit - body.size()))
            if (count < 0) break
            body.write(chunk, 0, count)
        }
        return body.toByteArray()
    }
}
