package satchel

/**
 * Sends one request for the library, which does no network of its own.
 *
 * An implementation sends method, URL, headers and body exactly as given (the request is signed), does
 * not follow redirects, reads at most `maxAnswerBytes` of the answer, and ends in bounded time.
 */
interface HttpTransport {
    /**
     * Returns the answer, whatever its status, or `null` when no whole answer came.
     * What it throws counts as no answer.
     */
    fun send(task: HttpTask): HttpAnswer?

    /**
     * Ends the request that is under way on another thread, soon; without one it does nothing. The default
     * leaves it to the timeout, so that a cancelled sync may hold its thread that long.
     */
    fun abort() {}

    /**
     * Which hub follows and which TLS keys it has to show; [SyncHost] says it before each run. From then on a connection
     * on which the server does not prove to have one of them is no answer, whatever the system trusts. This
     * default knows no pins, and so refuses a hub that has some.
     */
    fun trust(hub: HubAddress) {
        if (hub.spkiSha256.isNotEmpty()) throw UnsupportedOperationException("this transport cannot pin TLS keys")
    }
}

/** How long a request may take. A proof of 250 KB on a poor link of 0.1 Mbit/s needs 20 s. */
class HttpTimeouts(val connectMs: Int = 10_000, val totalMs: Int = 60_000) {
    init {
        require(connectMs > 0 && totalMs >= connectMs) { "timeouts must be positive and in order" }
    }
}

/** Headers of an answer as the library takes them; the status line some stacks report as a header is left out. */
internal fun headersOf(fields: Map<String?, List<String>>): List<HttpHeader> =
    fields.flatMap { (name, values) -> if (name == null) emptyList() else values.map { HttpHeader(name, it) } }
