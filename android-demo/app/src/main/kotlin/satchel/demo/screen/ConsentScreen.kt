package satchel.demo.screen

import android.view.View
import kotlinx.coroutines.CompletableDeferred
import satchel.CallRequest
import satchel.CallResult
import satchel.ConsentChannel
import satchel.ConsentEvidence
import satchel.ConsentRequest
import satchel.HandoffOption
import satchel.ShownText
import satchel.demo.R
import satchel.demo.present.StopPresenter
import satchel.demo.view.PadView
import satchel.demo.view.Tone
import satchel.text

/** Why a handoff is locked, and the ways to the customer's yes that the core names. */
class ConsentScreen(
    shell: Shell,
    private val presenter: StopPresenter,
    private val option: HandoffOption,
    private val opened: () -> Unit,
) : Screen(shell) {
    override val title get() = string(R.string.ask_customer)
    private lateinit var show: (View) -> Unit
    private var channel = option.channels.first()
    private var seconds = ""
    private var message = ""
    private var person = ""
    private var place = ""
    private var pad: PadView? = null

    override suspend fun run(show: (View) -> Unit) {
        this.show = show
        draw()
        CompletableDeferred<Unit>().await()
    }

    private fun draw(): Unit = show(
        ui.column(
            ui.card(
                ui.text(of(labels[option.handoff]), 19f, R.color.on_warn, bold = true),
                option.locked?.let { ui.text(of(it.text), 15f, R.color.on_warn) },
                tone = Tone.WARN,
            ),
            ui.choice("channel", option.channels.map { it to of(labels[it]) }, channel) {
                channel = it
                draw()
            },
            evidence(),
            ui.field(string(R.string.named_person), "person", person) { person = it },
            ui.field(string(R.string.agreed_place), "place", place) { place = it },
            ui.button(string(R.string.record_consent), "record-consent", Tone.STRONG) { record() },
            gap = 14,
        ),
    )

    private fun evidence(): View? = when (channel) {
        ConsentChannel.CALL -> ui.field(string(R.string.call_seconds), "seconds", seconds, number = true) { seconds = it }
        ConsentChannel.SMS -> ui.field(string(R.string.message_words), "message", message, lines = 3) { message = it }
        ConsentChannel.SIGNATURE -> {
            val statement = ShownText("android-demo-consent-1", string(R.string.consent_statement))
            val view = PadView(ui, statement) {}.also { pad = it }
            ui.column(ui.faint(statement.text), view)
        }
        ConsentChannel.CODE, ConsentChannel.PAGE_CLICK, ConsentChannel.STANDING -> null
    }

    private fun record(): Unit = shell.act {
        val phone = shell.desk.phone()
        val stopId = presenter.stop.stopId
        val evidence = when (channel) {
            ConsentChannel.CALL -> {
                val call = CallRequest(stopId, presenter.contact().phone, CallResult.ANSWERED, seconds.toUIntOrNull() ?: 0u)
                ConsentEvidence.Call((told(phone.ask { logCall(call) }) ?: return@act).seq)
            }
            ConsentChannel.SMS -> ConsentEvidence.Message(message, presenter.contact().phone)
            ConsentChannel.SIGNATURE -> ConsentEvidence.Drawn(pad?.signature() ?: return@act shell.say(string(R.string.sign_here), bad = true))
            else -> ConsentEvidence.Code
        }
        val request = ConsentRequest(
            stopId, listOf(option.handoff), evidence,
            namedPerson = person.ifBlank { null }, place = place.ifBlank { null },
        )
        told(phone.ask { recordConsent(request) }) ?: return@act
        shell.say(string(R.string.consent_recorded))
        shell.back()
        opened()
    }
}
