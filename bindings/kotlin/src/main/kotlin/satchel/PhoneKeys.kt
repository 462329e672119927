package satchel

/**
 * A P-256 key in the phone's hardware, which vouches for the key that signs the log (docs/adr/0045).
 *
 * What it throws means that the hardware cannot sign now; the enrolment or the change of keys waits.
 */
interface SigningKey {
    /** The public half as `SubjectPublicKeyInfo`; the pair is made at the first call. */
    fun publicKey(): ByteArray

    /** ECDSA with SHA-256 over [bytes], in DER. */
    fun sign(bytes: ByteArray): ByteArray

    /** Takes the pair out of the hardware, if it is there. */
    fun destroy()
}

/** The keys the platform keeps for this phone, as [SyncHost] serves them. */
class PhoneKeys(internal val database: DatabaseKey, internal val signing: SigningKey? = null) {
    /**
     * Ends a wipe that a kill cut off: call it before [DatabaseKey.load]. True when there was one; the store in
     * [directory] is then gone and a new enrolment may begin there.
     */
    fun finishWipe(directory: String): Boolean {
        if (!database.isDestroyed) return false
        destroy()
        removeStore(directory)
        database.forget()
        return true
    }

    internal fun destroy() {
        database.destroy()
        signing?.destroy()
    }
}

/** What the library wanted of the keys, and what came of it. */
internal sealed class KeyWork {
    object Nothing : KeyWork()

    object Served : KeyWork()

    /** The store is gone, by the hub's order. */
    class Wiped(val unsentEntries: Long, val unsentProofs: Long) : KeyWork()

    class Failed(val error: Exception) : KeyWork()
}

/** Names the hardware key before the enrolment goes out, so that the hub's answer already carries it. */
internal fun SatchelInterface.offer(keys: PhoneKeys?): KeyWork {
    val signing = keys?.signing ?: return KeyWork.Nothing
    if (enrolment() !is Enrolment.Pending) return KeyWork.Nothing
    return trying { offerHardwareKey(signing.publicKey()) }
}

/** Does what the library asks of the keys now, one task. */
internal fun SatchelInterface.serve(keys: PhoneKeys?): KeyWork {
    if (keys == null) return KeyWork.Nothing
    return when (val task = keyTask()) {
        null -> KeyWork.Nothing
        is KeyTask.Offer -> keys.signing?.let { trying { offerHardwareKey(it.publicKey()) } } ?: KeyWork.Nothing
        is KeyTask.Sign -> keys.signing?.let { trying { completeKeyTask(task.id, it.sign(task.bytes)) } } ?: KeyWork.Nothing
        is KeyTask.DestroyKey -> {
            // In this order: while the key is there the store could still be read, so it goes first.
            keys.destroy()
            completeKeyTask(task.id, ByteArray(0))
            keys.database.forget()
            KeyWork.Wiped(task.unsentEntries.toLong(), task.unsentProofs.toLong())
        }
    }
}

private fun trying(work: () -> Unit): KeyWork = try {
    work()
    KeyWork.Served
} catch (error: SatchelException) {
    // The store's own troubles are the run's; a signature that does not fit is the hardware's.
    if (error is SatchelException.InvalidInput) KeyWork.Failed(error) else throw error
} catch (error: Exception) {
    KeyWork.Failed(error)
}
