package satchel.demo.screen

import android.view.View
import satchel.demo.R
import satchel.demo.view.QrView
import satchel.demo.view.Tone

/** The code for the customer's own phone: full screen, white in every theme, made without a network. */
class RatingScreen(shell: Shell, private val parcelId: String, private val afterwards: () -> Unit) : Screen(shell) {
    override val title get() = string(R.string.rating_code)
    override val isBare get() = true

    override suspend fun run(show: (View) -> Unit) {
        val code = shell.desk.phone().ratingQr(parcelId)
        val black = { words: String, size: Float -> ui.text(words, size).apply { setTextColor(0xFF111111.toInt()) } }
        show(
            ui.column(
                black(string(R.string.please_rate), 24f).apply { textAlignment = View.TEXT_ALIGNMENT_CENTER },
                QrView(ui, code, string(R.string.rating_code)),
                black(string(R.string.rate_note), 15f).apply { textAlignment = View.TEXT_ALIGNMENT_CENTER },
                ui.button(string(R.string.finish), "finish", Tone.STRONG) { afterwards() },
                gap = 16,
            ),
        )
    }
}
