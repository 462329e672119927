package satchel.demo.screen

import android.view.View
import android.widget.Switch
import kotlinx.coroutines.CompletableDeferred
import satchel.Enrolment
import satchel.demo.R
import satchel.demo.view.Tone
import satchel.text

/** What the courier may choose for this device. Dark mode and size of text are the system's. */
class SettingsScreen(shell: Shell) : Screen(shell) {
    override val title get() = string(R.string.settings)
    override val isTab get() = true

    override suspend fun run(show: (View) -> Unit) {
        val phone = shell.desk.phone()
        val (enrolment, shift) = phone.read { enrolment() to shift() }
        val settings = shell.desk.settings
        val languages = listOf("" to string(R.string.as_system), "zh" to "中文", "en" to "English")
        show(
            ui.column(
                (enrolment as? Enrolment.Enrolled)?.let {
                    ui.card(ui.text(it.courierName, 18f, bold = true), ui.faint(string(R.string.device, it.deviceId.takeLast(8))), gap = 2)
                },
                ui.card(ui.text(string(R.string.language), 16f, bold = true), ui.choice("language", languages, settings.language) {
                    settings.language = it
                    shell.restart()
                }),
                airplane(),
                ui.card(ui.text(string(R.string.looks), 16f, bold = true), ui.faint(string(R.string.looks_note))),
                ui.button(string(R.string.queue), "queue", Tone.PLAIN) { shell.go(QueueScreen(shell)) },
                shift.unsent?.let { ui.card(ui.text(of(it.text), 15f, R.color.on_warn), tone = Tone.WARN) },
                ui.button(string(if (shift.unsent == null) R.string.sign_out else R.string.sign_out_anyway), "sign-out", Tone.PLAIN) {
                    // The counts stood above the button: pressing it is the yes the core asks for.
                    shell.act { told(phone.ask { signOut(shift.unsent != null) })?.let { shell.say(string(R.string.signed_out)) } }
                },
                gap = 12,
            ),
        )
        CompletableDeferred<Unit>().await()
    }

    private fun airplane(): View {
        val settings = shell.desk.settings
        val switch = Switch(ui.context).apply {
            tag = "airplane"
            isChecked = settings.isOffline
            minHeight = ui.dp(48)
            contentDescription = string(R.string.airplane)
            setOnCheckedChangeListener { _, isOn ->
                settings.isOffline = isOn
                shell.act {
                    shell.desk.phone().write { requestSync() }
                    if (!isOn) shell.desk.syncSoon()
                }
            }
        }
        return ui.card(ui.row(ui.text(string(R.string.airplane), 16f, bold = true), switch), ui.faint(string(R.string.airplane_note)))
    }
}
