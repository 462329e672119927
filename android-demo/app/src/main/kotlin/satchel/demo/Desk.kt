package satchel.demo

import android.content.Context
import android.os.Build
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withContext
import satchel.CourierPhone
import satchel.DatabaseKey
import satchel.HttpTransport
import satchel.Labels
import satchel.NetworkState
import satchel.PhoneKeys
import satchel.Position
import satchel.Satchel
import satchel.SatchelConfig
import satchel.SatchelException
import satchel.SatchelInterface
import satchel.SigningKey
import satchel.SyncEnd
import satchel.SyncHost
import satchel.WrappingKeys

/**
 * The courier's desk: the open phone, the words of the code lists, the settings, and the sync.
 *
 * It lives as long as the process. Screens ask it for the phone and never hold one themselves.
 */
class Desk(
    private val context: Context,
    keys: WrappingKeys,
    signing: SigningKey?,
    private val transport: HttpTransport,
    /** Waits at the hub for news while the app is in front. */
    private val polls: HttpTransport,
    private val network: () -> NetworkState,
    private val library: (SatchelConfig) -> SatchelInterface = Satchel::open,
    /** Where the phone is, for the record of a visit. */
    val position: () -> Position? = LastPosition(context),
) {
    val settings = Settings(context)
    val labels by lazy { Labels() }

    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Default)
    private val databaseKey = DatabaseKey(context.noBackupFilesDir.resolve("satchel.key"), keys)
    private val folder = context.noBackupFilesDir.resolve("store")
    private val phoneKeys = PhoneKeys(databaseKey, signing)
    private val opening = Mutex()
    private val syncing = Mutex()
    private var opened: CourierPhone? = null
    private var background: Job? = null
    private var following: Job? = null

    /** The phone, opened at the first call. Throws what `open` throws, and [DatabaseKey.KeyLost]. */
    suspend fun phone(): CourierPhone = opening.withLock {
        opened ?: withContext(Dispatchers.IO) { open() }.also { opened = it }
    }

    private fun open(): CourierPhone {
        // A wipe that a kill cut off: what is left of that store goes before a new one is made.
        phoneKeys.finishWipe(folder.path)
        val key = databaseKey.load()
        try {
            return CourierPhone(library(SatchelConfig(directory = folder.path, key = key)))
        } finally {
            key.fill(0)
        }
    }

    /** What the dispatcher sees of this phone. */
    val label: String get() = "${Build.MANUFACTURER} ${Build.MODEL}".trim().ifEmpty { "Android" }

    /** The host of the phone, for one run. */
    suspend fun host(): SyncHost {
        val phone = phone()
        return SyncHost(phone.satchel, transport, phone::nudge, phoneKeys) {
            if (settings.isOffline) NetworkState.OFFLINE else network()
        }
    }

    /** Sends and reads what can be now; runs asked for meanwhile wait and find nothing left. */
    suspend fun sync(): SyncEnd = syncing.withLock { host().syncOnce(SYNC_MS) }.also { settle(it) }

    /** A wiped phone is closed for good: the next question opens an empty one. */
    private suspend fun settle(end: SyncEnd) {
        if (end is SyncEnd.Wiped) opening.withLock { opened = null }
    }

    /** The app comes to the front: records go up as they are made, and the hub tells its news. */
    fun follow() {
        if (following?.isActive == true) return
        following = scope.launch {
            try {
                val phone = phone()
                settle(host().follow(polls, phone.news()))
            } catch (_: SatchelException) {
                // Paused or full: the job asks again, and the queue's screen says how it stands.
            }
        }
        SyncJob.request(context)
    }

    /** The same without waiting for it: after each record, and when the app comes to the front. */
    fun syncSoon() {
        background = scope.launch {
            try {
                sync()
            } catch (_: SatchelException) {
                // Paused or full: the job asks again, and the queue's screen says how it stands.
            }
        }
        SyncJob.request(context)
    }

    /** The app goes to the back: ends the requests and lets go of every file. */
    suspend fun pause() {
        following?.cancelAndJoin()
        background?.cancel()
        syncing.withLock { opened?.pause() }
    }

    suspend fun resume() {
        opened?.resume()
    }

    private companion object {
        const val SYNC_MS = 120_000L
    }
}

/** What the courier chose for this device; nothing of it is a rule. */
class Settings(context: Context) {
    private val kept = context.getSharedPreferences("settings", Context.MODE_PRIVATE)

    /** `zh`, `en`, or empty: as the system. */
    var language: String
        get() = kept.getString("language", "").orEmpty()
        set(value) = kept.edit().putString("language", value).apply()

    /** The demo's own airplane mode. */
    var isOffline: Boolean
        get() = kept.getBoolean("offline", false)
        set(value) = kept.edit().putBoolean("offline", value).apply()
}
