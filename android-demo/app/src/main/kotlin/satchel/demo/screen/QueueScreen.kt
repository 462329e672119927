package satchel.demo.screen

import android.view.View
import satchel.SatchelException
import satchel.StorageUsage
import satchel.SyncStatus
import satchel.SyncState
import satchel.demo.R
import satchel.demo.present.QueuePresenter
import satchel.demo.present.QueueState
import satchel.demo.view.Tone

/** What is only on this phone, what holds it, and what the store takes: figures of the store, not guesses. */
class QueueScreen(shell: Shell) : Screen(shell) {
    override val title get() = string(R.string.queue)
    private lateinit var presenter: QueuePresenter

    override suspend fun run(show: (View) -> Unit) {
        presenter = QueuePresenter(shell.desk.phone())
        presenter.states().collect { show(draw(it)) }
    }

    private fun draw(state: QueueState): View = ui.column(
        status(state.sync),
        ui.button(string(R.string.sync_now), "sync-now", Tone.STRONG) {
            shell.act {
                presenter.retryNow()
                try {
                    shell.desk.sync()
                } catch (error: SatchelException) {
                    shell.say(trouble(error), bad = true)
                }
            }
        },
        if (state.waiting.isEmpty()) null else ui.heading(string(R.string.not_synced_yet)),
        *state.waiting.map { stop ->
            ui.card(ui.row(ui.text(stop.address, 15f), ui.chip(of(labels[stop.sync]), if (stop.sync == SyncState.RECEIVED) Tone.SOFT else Tone.WARN)))
        }.toTypedArray(),
        ui.heading(string(R.string.storage)),
        storage(state.storage),
        gap = 10,
    )

    private fun status(sync: SyncStatus): View {
        val now = System.currentTimeMillis()
        val isAllSent = sync.unsentEntries == 0uL && sync.unsentProofs == 0uL
        val tone = if (sync.blocking != null) Tone.BAD else if (isAllSent) Tone.SOFT else Tone.WARN
        fun said(line: String?) = line?.let { ui.text(it, 15f, tone.fore) }
        return ui.card(
            ui.text(
                if (isAllSent) string(R.string.all_synced) else words.unsent(sync),
                19f, tone.fore, bold = true,
            ),
            said(sync.unsentBytes.takeIf { it > 0uL }?.let { string(R.string.unsent_size, words.size(it)) }),
            said(sync.oldestUnsentMs?.let { string(R.string.oldest, words.span(now - it)) }),
            said(sync.lastContactMs?.let { string(R.string.last_contact, words.span(now - it)) } ?: string(R.string.no_contact_yet)),
            said(sync.blocking?.let { of(labels[it]) }),
            said(sync.nextRetryMs?.takeIf { it > now }?.let { string(R.string.next_retry, words.span(it - now)) }),
            said(if (shell.desk.settings.isOffline) string(R.string.airplane_on) else null),
            said(sync.lostProofs.takeIf { it > 0uL }?.let { string(R.string.lost_proofs, it.toLong()) }),
            said(sync.receiptAlarms.takeIf { it > 0uL }?.let { string(R.string.receipt_alarms, it.toLong()) }),
            said(sync.hubContradictions.takeIf { it > 0uL }?.let { string(R.string.contradictions, it.toLong()) }),
            ui.text(string(R.string.synced_means), 13f, tone.fore),
            tone = tone, gap = 4,
        )
    }

    private fun storage(used: StorageUsage): View = ui.card(
        ui.row(ui.text(string(R.string.photos_waiting), 15f), ui.text("${used.waitingPhotos} · ${words.size(used.waitingBytes)}", 15f)),
        ui.row(ui.text(string(R.string.photos_can_go), 15f), ui.text("${used.evictablePhotos} · ${words.size(used.evictableBytes)}", 15f)),
        ui.row(ui.text(string(R.string.database), 15f), ui.text(words.size(used.databaseBytes), 15f)),
        ui.row(ui.text(string(R.string.disk_free), 15f), ui.text(words.size(used.diskFreeBytes), 15f)),
        ui.faint(string(R.string.storage_note), 13f),
    )
}
