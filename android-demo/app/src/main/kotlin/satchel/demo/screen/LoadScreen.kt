package satchel.demo.screen

import android.view.View
import kotlinx.coroutines.CompletableDeferred
import satchel.LoadCheck
import satchel.LoadScan
import satchel.demo.R
import satchel.demo.view.Tone
import satchel.text

/** The load check: scan, and learn at once what the parcel is. A scanner types like a keyboard. */
class LoadScreen(shell: Shell) : Screen(shell) {
    override val title get() = string(R.string.load_check)
    private lateinit var show: (View) -> Unit
    private var typed = ""

    override suspend fun run(show: (View) -> Unit) {
        this.show = show
        draw(null)
        CompletableDeferred<Unit>().await()
    }

    private suspend fun draw(scan: LoadScan?) {
        val (route, check) = shell.desk.phone().read {
            val route = routes().first()
            route.routeId to loadCheck(route.routeId)
        }
        show(ui.column(counts(check), scan?.let(::result), scanner(route), gap = 14))
    }

    private fun counts(check: LoadCheck): View =
        ui.card(ui.text(string(R.string.loaded, check.loaded.size, check.missing.size, check.toHandBack.size), 18f, bold = true))

    private fun result(scan: LoadScan): View {
        val tone = if (scan.result.code == "OK") Tone.SOFT else Tone.BAD
        return ui.card(ui.text(of(scan.result.text), 20f, tone.fore, bold = true), scan.otherRound?.let { ui.text(it, 15f, tone.fore) }, tone = tone)
    }

    private fun scanner(routeId: String): View = ui.column(
        scanField(string(R.string.scan), "scan", "") { typed = it },
        ui.button(string(R.string.check_it), "scan-go", Tone.STRONG) {
            shell.act { draw(told(shell.desk.phone().ask { loadScan(routeId, typed) })) }
        },
    )
}
