package satchel.demo.screen

import android.view.View
import satchel.DatabaseKey
import satchel.SatchelException
import satchel.demo.R
import satchel.demo.view.Tone
import satchel.demo.view.Ui

/** What to do about a store that does not open or a call that failed inside, one sentence an error. */
fun troubleWords(ui: Ui, error: Throwable): String = when (error) {
    is SatchelException.WrongKey, is DatabaseKey.KeyLost -> ui.words(R.string.trouble_key)
    is SatchelException.StoreDamaged, is SatchelException.StoreForeign -> ui.words(R.string.trouble_damaged)
    is SatchelException.StoreFromNewerVersion -> ui.words(R.string.trouble_newer)
    is SatchelException.StoreLocked -> ui.words(R.string.trouble_locked)
    is SatchelException.StorageFull -> ui.words(R.string.storage_full)
    is SatchelException.InviteRejected -> ui.words(R.string.invite_rejected)
    is SatchelException.NotEnrolled -> ui.words(R.string.not_enrolled)
    is SatchelException.Internal -> ui.words(R.string.trouble_internal, error.code)
    else -> ui.words(R.string.trouble_internal, error.javaClass.simpleName)
}

/** The store does not open: say what to do, change nothing. */
class TroubleScreen(shell: Shell, private val error: Throwable) : Screen(shell) {
    override val title get() = string(R.string.trouble)

    override suspend fun run(show: (View) -> Unit) = show(
        ui.column(
            ui.card(ui.text(trouble(error), 18f, R.color.on_bad), ui.text(string(R.string.trouble_kept), 15f, R.color.on_bad), tone = Tone.BAD),
            ui.button(string(R.string.try_again), "try-again", Tone.STRONG) { shell.restart() },
            gap = 16,
        ),
    )
}
