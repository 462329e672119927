package satchel

import java.io.File
import java.math.BigInteger
import java.security.KeyFactory
import java.security.MessageDigest
import java.security.NoSuchAlgorithmException
import java.security.PublicKey
import java.security.Signature
import java.security.spec.X509EncodedKeySpec
import java.util.Base64
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Assumptions.assumeTrue
import org.junit.jupiter.api.BeforeEach
import org.junit.jupiter.api.Test

/**
 * The recorded morning of phone and hub (`tests/golden/transcript.json`), read with the JDK alone and without Satchel's
 * code: every request is signed by the phone's key as RFC 9421 and RFC 9530 say, every receipt by the hub's, and the photo
 * that goes up is the one its receipt names.
 */
class TranscriptTest {
    private class Said(lines: List<String>) {
        private val body64 = lines.first { it.startsWith(BODY) }
        private val top = lines.filter { it.startsWith("      \"") }
        private val cut = lines.indexOf(body64)
        val method = value(top, "method")
        val url = value(top, "url")
        val status = lines.first { it.startsWith("      \"status\": ") }.filter { it.isDigit() }.toInt()
        val headers = pairs(lines.subList(0, cut))
        val answerHeaders = pairs(lines.subList(cut, lines.size))
        val body = bytes(value(top, "body"))
        val answer = bytes(value(top, "answer_body"))
    }

    private lateinit var said: List<Said>
    private lateinit var deviceKey: PublicKey
    private lateinit var hubKey: PublicKey

    @BeforeEach
    fun read() {
        val lines = File(Given.testData, "../../tests/golden/transcript.json").readLines()
        val starts = lines.indices.filter { lines[it] == "    {" }
        said = starts.map { start -> Said(lines.subList(start, start + lines.drop(start).indexOfFirst { it.startsWith("    }") })) }
        deviceKey = key(value(lines, "device_key", "  "))
        hubKey = key(value(lines, "hub_key", "  "))
    }

    @Test
    fun `every request is signed by the phone and no nonce comes twice`() {
        val nonces = HashSet<String>()
        for (one in said.filter { !it.url.endsWith("/v1/enrol") }) {
            val params = one.headers.getValue("signature-input").removePrefix("sig=")
            val covered = Regex("\"([^\"]+)\"").findAll(params.substringBefore(')')).map { it.groupValues[1] }.toList()
            assertEquals(listOf("@method", "@target-uri"), covered.take(2))
            if ("content-digest" in covered) {
                val digest = Base64.getEncoder().encodeToString(sha256(one.body))
                assertEquals("sha-256=:$digest:", one.headers["content-digest"])
            } else {
                assertEquals(0, one.body.size)
            }
            val derived = mapOf("@method" to one.method, "@target-uri" to one.url)
            val lines = covered.map { "\"$it\": ${derived[it] ?: one.headers.getValue(it)}" }
            val base = (lines + "\"@signature-params\": $params").joinToString("\n").toByteArray()
            val signature = bytes(one.headers.getValue("signature").removePrefix("sig=:").removeSuffix(":"))
            assertTrue(verifies(deviceKey, base, signature), one.url)
            assertFalse(verifies(deviceKey, base + 32, signature))
            assertTrue(nonces.add(Regex(";nonce=\"([^\"]+)\"").find(params)!!.groupValues[1]))
        }
        assertTrue(nonces.size > 5)
    }

    @Test
    fun `every receipt is signed by the hub and names the photo`() {
        var photos = 0
        val receipts = said.filter { it.answerHeaders["content-type"] == "application/vnd.satchel.receipt" }
        assertTrue(receipts.size > 3)
        for (one in receipts) {
            val (receipt, end) = byteString(one.answer, 1)
            val (signature, _) = byteString(one.answer, end)
            assertTrue(verifies(hubKey, "satchel-receipt/1\u0000".toByteArray() + receipt, signature), one.url)
            if (one.method == "POST" && one.url.endsWith("/v1/proofs")) {
                photos += 1
                assertArrayEquals(byteArrayOf(0xff.toByte(), 0xd8.toByte()), one.body.copyOf(2))
                assertEquals(201, one.status)
                assertEquals(one.body.size.toString(), one.answerHeaders["upload-offset"])
                assertTrue(hex(sha256(one.body)) in hex(receipt))
            }
        }
        assertEquals(1, photos)
    }

    private companion object {
        const val BODY = "      \"body\": "

        /** A text that stands on a line of its own, as the file is written. */
        fun value(lines: List<String>, name: String, indent: String = "      "): String {
            val begin = "$indent\"$name\": \""
            return unescaped(lines.first { it.startsWith(begin) }.removePrefix(begin).removeSuffix(",").removeSuffix("\""))
        }

        fun pairs(lines: List<String>): Map<String, String> {
            val texts = lines.filter { it.startsWith("          \"") }.map { unescaped(it.trim().removeSuffix(",").removeSurrounding("\"")) }
            return texts.chunked(2).associate { (name, value) -> name to value }
        }

        fun unescaped(text: String) = text.replace("\\\"", "\"").replace("\\\\", "\\")

        fun bytes(base64: String): ByteArray = Base64.getDecoder().decode(base64)

        fun sha256(bytes: ByteArray): ByteArray = MessageDigest.getInstance("SHA-256").digest(bytes)

        fun hex(bytes: ByteArray) = bytes.joinToString("") { "%02x".format(it) }

        fun key(hex: String): PublicKey {
            // A JDK before 15 knows no Ed25519.
            val keys = try {
                KeyFactory.getInstance("Ed25519")
            } catch (old: NoSuchAlgorithmException) {
                assumeTrue(false, "no Ed25519 in this JDK: ${old.message}")
                throw old
            }
            return keys.generatePublic(X509EncodedKeySpec(BigInteger("302a300506032b6570032100$hex", 16).toByteArray()))
        }

        fun verifies(key: PublicKey, message: ByteArray, signature: ByteArray): Boolean {
            val check = Signature.getInstance("Ed25519")
            check.initVerify(key)
            check.update(message)
            return check.verify(signature)
        }

        /** A CBOR byte string, and where it ends. */
        fun byteString(cbor: ByteArray, at: Int): Pair<ByteArray, Int> {
            val head = cbor[at].toInt() and 0xff
            assertEquals(2, head shr 5)
            val wide = (head and 31).let { if (it < 24) 0 else 1 shl (it - 24) }
            val size = if (wide == 0) head and 31 else (1..wide).fold(0) { n, i -> (n shl 8) or (cbor[at + i].toInt() and 0xff) }
            val begin = at + 1 + wide
            return cbor.copyOfRange(begin, begin + size) to begin + size
        }
    }
}
