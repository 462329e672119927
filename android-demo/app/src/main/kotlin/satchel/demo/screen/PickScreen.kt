package satchel.demo.screen

import android.view.View
import satchel.demo.R
import satchel.demo.view.Tone

/** One line of a long list: what it is, what to add, and whether it can be had. */
class Option<T>(
    val value: T,
    val words: String,
    val note: String? = null,
    val isLocked: Boolean = false,
    val tag: String = value.toString(),
)

/** A long list to choose one thing from. */
class PickScreen<T>(
    shell: Shell,
    override val title: String,
    private val options: List<Option<T>>,
    private val picked: (T) -> Unit,
) : Screen(shell) {
    override suspend fun run(show: (View) -> Unit) = show(
        ui.column(
            options.map { option ->
                val tone = R.color.faint.takeIf { option.isLocked } ?: R.color.ink
                val card = ui.card(
                    ui.text(if (option.isLocked) "🔒 ${option.words}" else option.words, 17f, tone, bold = true),
                    option.note?.let { ui.faint(it) },
                    tone = Tone.PLAIN, gap = 2,
                )
                with(ui) {
                    card.pressed("pick-${option.tag}") {
                        shell.back()
                        picked(option.value)
                    }
                }
            },
        ),
    )
}
