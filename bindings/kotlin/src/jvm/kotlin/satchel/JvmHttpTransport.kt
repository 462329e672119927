package satchel

import java.io.ByteArrayOutputStream
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse
import java.nio.ByteBuffer
import java.security.KeyStore
import java.time.Duration
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionStage
import java.util.concurrent.Flow
import java.util.concurrent.TimeUnit
import java.util.concurrent.TimeoutException

/**
 * The transport for a desktop JVM, over `java.net.http`, which Android does not have.
 *
 * @param roots whose certificates are trusted; `null`: the system's.
 */
class JvmHttpTransport(
    private val timeouts: HttpTimeouts = HttpTimeouts(),
    roots: KeyStore? = null,
) : HttpTransport {
    private val tls = PinnedTls(roots)

    @Volatile
    private var client: HttpClient = makeClient()

    private fun makeClient(): HttpClient = HttpClient.newBuilder()
        // The upgrade to HTTP/2 over plain text would add headers that no proxy on the way understands.
        .version(HttpClient.Version.HTTP_1_1)
        .followRedirects(HttpClient.Redirect.NEVER)
        .connectTimeout(Duration.ofMillis(timeouts.connectMs.toLong()))
        .sslContext(tls.context)
        .build()

    override fun trust(hub: HubAddress) {
        // A new client: connections that were made under other pins end with the old one.
        if (tls.take(hub)) client = makeClient()
    }

    @Volatile
    private var underWay: CompletableFuture<HttpResponse<ByteArray>>? = null

    override fun send(task: HttpTask): HttpAnswer? {
        if (tls.refuses(task.url)) return null
        val body = if (task.body.isEmpty()) {
            HttpRequest.BodyPublishers.noBody()
        } else {
            HttpRequest.BodyPublishers.ofByteArray(task.body)
        }
        val request = HttpRequest.newBuilder(URI.create(task.url)).method(task.method, body)
        task.headers.forEach { request.header(it.name, it.value) }
        val limit = task.maxAnswerBytes.toInt()
        val answer = client.sendAsync(request.build()) { BoundedBody(limit) }
        underWay = answer
        return try {
            // The client's own timeout ends with the headers; this one holds for the body too.
            val response = answer.get(timeouts.totalMs.toLong(), TimeUnit.MILLISECONDS)
            HttpAnswer(response.statusCode().toUShort(), headersOf(response.headers().map()), response.body())
        } catch (_: TimeoutException) {
            answer.cancel(true)
            null
        } finally {
            underWay = null
        }
    }

    override fun abort() {
        underWay?.cancel(true)
    }
}

/** Collects a body up to a limit and then hangs up. */
private class BoundedBody(private val limitBytes: Int) : HttpResponse.BodySubscriber<ByteArray> {
    private val bytes = ByteArrayOutputStream()
    private val result = CompletableFuture<ByteArray>()
    private var subscription: Flow.Subscription? = null

    override fun getBody(): CompletionStage<ByteArray> = result

    override fun onSubscribe(subscription: Flow.Subscription) {
        this.subscription = subscription
        subscription.request(Long.MAX_VALUE)
    }

    override fun onNext(buffers: List<ByteBuffer>) {
        for (buffer in buffers) {
            val part = ByteArray(minOf(buffer.remaining(), limitBytes - bytes.size()))
            buffer.get(part)
            bytes.write(part)
        }
        if (bytes.size() >= limitBytes) {
            subscription?.cancel()
            result.complete(bytes.toByteArray())
        }
    }

    override fun onError(error: Throwable) {
        result.completeExceptionally(error)
    }

    override fun onComplete() {
        result.complete(bytes.toByteArray())
    }
}
