package satchel.demo.screen

import android.view.View
import kotlinx.coroutines.CompletableDeferred
import satchel.Action
import satchel.Answer
import satchel.CallResult
import satchel.Reason
import satchel.Remedy
import satchel.demo.R
import satchel.demo.present.StopPresenter
import satchel.demo.view.Tone
import satchel.text

/** The reasons of the trade as a list to choose from. */
fun reasons(shell: Shell): List<Option<Reason>> = shell.desk.labels.lists.reasons.map {
    Option(it.reason, shell.words.of(satchel.Text(it.textZh, it.textEn)))
}

/** What somebody can do for the customer now, and what is still missing for it. */
fun remedyLine(shell: Shell, remedy: Remedy): View {
    val needs = remedy.needs.joinToString(" · ") { shell.words.of(it.text) }
    return shell.ui.column(
        shell.ui.text("• " + shell.words.of(shell.desk.labels[remedy.action]), 15f),
        if (needs.isEmpty()) null else shell.ui.faint("   $needs", 13f),
        gap = 0,
    )
}

/** It could not be handed over: why, what happens next, and what can be offered instead. */
class FailScreen(shell: Shell, private val presenter: StopPresenter, private val recorded: () -> Unit) : Screen(shell) {
    override val title get() = string(R.string.could_not)
    private lateinit var show: (View) -> Unit
    private var reason: Reason? = null
    private var action: Action? = null
    private var remedies = emptyList<Remedy>()
    private var calls = 0

    override suspend fun run(show: (View) -> Unit) {
        this.show = show
        calls = presenter.callsMade()
        draw()
        CompletableDeferred<Unit>().await()
    }

    private fun draw() {
        val reason = reason
        show(
            ui.column(
                with(ui) {
                    ui.card(
                        ui.row(
                            ui.column(ui.faint(string(R.string.reason), 13f), ui.text(reason?.let { of(labels[it]) } ?: string(R.string.choose_reason), 18f, bold = true), gap = 0),
                            ui.text("›", 22f, R.color.accent),
                        ),
                    ).pressed("reason") { shell.go(PickScreen(shell, string(R.string.reason), reasons(shell), ::picked)) }
                },
                if (reason == null) null else next(reason),
                if (remedies.isEmpty()) null else offers(),
                calls(),
                ui.field(string(R.string.note), "note", presenter.note, lines = 2) { presenter.note = it },
                ui.button(string(R.string.take_photo), "photo", Tone.PLAIN) {
                    shell.takePhoto { file ->
                        if (told(presenter.addPhoto(file)) != null) shell.say(string(R.string.photo_stored))
                        file.delete()
                    }
                }.takeIf { reason != null && labels.reason(reason).requiresPhoto },
                ui.button(string(R.string.record_failed), "record-failed", Tone.STRONG) { record() }.takeIf { reason != null },
                gap = 14,
            ),
        )
    }

    private fun picked(reason: Reason) {
        this.reason = reason
        action = labels.reason(reason).actions.first()
        shell.act {
            remedies = presenter.remedies(reason)
            draw()
        }
    }

    private fun next(reason: Reason): View {
        val actions = labels.reason(reason).actions.map { it to of(labels[it]) }
        return ui.card(ui.text(string(R.string.what_next), 16f, bold = true), ui.choice("action", actions, action) { action = it })
    }

    private fun offers(): View = ui.card(
        ui.text(string(R.string.can_offer), 16f, R.color.on_soft, bold = true),
        *remedies.take(MOST_OFFERS).map { remedyLine(shell, it) }.toTypedArray(),
        tone = Tone.SOFT, gap = 4,
    )

    /** No contact, no failure code: the tries are records of their own. */
    private fun calls(): View = ui.card(
        ui.text(string(R.string.calls), 16f, bold = true),
        ui.faint(ui.count(R.plurals.calls_made, calls, calls)),
        ui.choice("call", CallResult.entries.map { it to of(labels[it]) }, null) { result ->
            shell.act {
                val number = presenter.contact().phone
                if (told(presenter.logCall(number, result)) != null) {
                    calls = presenter.callsMade()
                    shell.say(string(R.string.call_logged))
                    draw()
                }
            }
        },
    )

    private fun record() = shell.act {
        val answer = presenter.fail(checkNotNull(reason), checkNotNull(action))
        if (answer is Answer.Done) {
            shell.desk.syncSoon()
            shell.say(string(R.string.recorded))
            recorded()
        } else {
            told(answer)
        }
    }

    private companion object {
        const val MOST_OFFERS = 6
    }
}
