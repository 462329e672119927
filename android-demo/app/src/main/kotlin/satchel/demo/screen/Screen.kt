package satchel.demo.screen

import android.content.Context
import android.view.View
import android.widget.EditText
import java.io.File
import satchel.Answer
import satchel.Text
import satchel.demo.Desk
import satchel.demo.view.Tone
import satchel.demo.view.Ui
import satchel.demo.view.Words

/** What the activity does for its screens. */
interface Shell {
    val context: Context
    val desk: Desk
    val ui: Ui
    val words: Words

    /** Opens a screen above this one. */
    fun go(screen: Screen)

    /** Shows a screen in place of all. */
    fun start(screen: Screen)

    fun back()

    /** A line that stays until the next one. */
    fun say(line: String, bad: Boolean = false)

    /** Runs an action of the courier; what the library throws is said, not crashed on. */
    fun act(action: suspend () -> Unit)

    /** Asks the camera for one photo. */
    fun takePhoto(taken: suspend (File) -> Unit)

    /** Asks a scanner for the number on a parcel; where there is none it is typed. */
    fun scan(found: suspend (String) -> Unit)

    /** Draws everything anew, after the language changed. */
    fun restart()

    fun dial(number: String)

    /** Asks for the permission once the shift begins; a refusal costs nothing but the position. */
    fun askForPosition()
}

/** One screen: drawn from what the library says, again with every change, until it is left. */
abstract class Screen(protected val shell: Shell) {
    protected val ui get() = shell.ui
    protected val words get() = shell.words
    protected val labels get() = shell.desk.labels

    /** Shown in the bar above, with the way back. */
    abstract val title: String

    /** Whether the bar below leads to it. */
    open val isTab: Boolean get() = false

    /** White from edge to edge, for a code that is scanned. */
    open val isBare: Boolean get() = false

    /** Draws until cancelled. */
    abstract suspend fun run(show: (View) -> Unit)

    protected fun string(id: Int, vararg values: Any): String = ui.words(id, *values)

    protected fun of(text: Text): String = words.of(text)

    /** A number that is scanned or typed; a scanner on a belt types like a keyboard. */
    protected fun scanField(label: String, tag: String, value: String, change: (String) -> Unit): View = scanField(shell, label, tag, value, change)

    /** Says why an answer is none, and returns the value of one that is. */
    protected fun <T> told(answer: Answer<T>): T? {
        when (answer) {
            is Answer.Done -> return answer.value
            is Answer.Refused -> shell.say(of(answer.text), bad = true)
            is Answer.TakeAgain -> shell.say(of(answer.text), bad = true)
            is Answer.Already -> shell.say(string(satchel.demo.R.string.already_done))
            is Answer.Gone -> shell.say(string(satchel.demo.R.string.not_here), bad = true)
            is Answer.StorageFull -> shell.say(string(satchel.demo.R.string.storage_full), bad = true)
            is Answer.Failed -> shell.say(trouble(answer.error), bad = true)
        }
        return null
    }

    /** What a failure that is no refusal means for the courier. */
    protected fun trouble(error: Throwable): String = troubleWords(ui, error)
}

/** The field of [Screen.scanField], also for what is no screen. */
fun scanField(shell: Shell, label: String, tag: String, value: String, change: (String) -> Unit): View {
    val ui = shell.ui
    val field = ui.field(label, tag, value, change = change)
    return ui.column(
        field,
        ui.button(ui.words(satchel.demo.R.string.scan_now), "$tag-camera", Tone.SOFT) {
            shell.scan { text -> field.findViewWithTag<EditText>(tag)?.setText(text) }
        },
        gap = 6,
    )
}
