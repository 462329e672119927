package satchel.demo.view

import android.content.Context
import android.content.res.ColorStateList
import android.graphics.Typeface
import android.graphics.drawable.Drawable
import android.graphics.drawable.GradientDrawable
import android.graphics.drawable.RippleDrawable
import android.text.InputType
import android.view.Gravity
import android.view.View
import android.view.ViewGroup.LayoutParams.MATCH_PARENT
import android.view.ViewGroup.LayoutParams.WRAP_CONTENT
import android.widget.EditText
import android.widget.LinearLayout
import android.widget.TextView
import satchel.demo.R

/** How a piece of text or a button looks. */
enum class Tone(val back: Int, val fore: Int) {
    PLAIN(R.color.card, R.color.ink),
    SOFT(R.color.soft, R.color.on_soft),
    STRONG(R.color.accent, R.color.on_accent),
    WARN(R.color.warn, R.color.on_warn),
    BAD(R.color.bad, R.color.on_bad),
}

/**
 * The app's few building blocks, as plain framework views.
 *
 * Sizes of text are in sp and nothing has a fixed height, so that large text makes rows grow; whatever can
 * be touched is at least 48 dp high.
 */
class Ui(val context: Context) {
    fun dp(value: Int): Int = (value * context.resources.displayMetrics.density + 0.5f).toInt()

    fun color(id: Int): Int = context.getColor(id)

    fun words(id: Int, vararg values: Any): String = context.getString(id, *values)

    fun count(id: Int, n: Int, vararg values: Any): String = context.resources.getQuantityString(id, n, *values)

    fun column(vararg children: View?, gap: Int = 8): LinearLayout = stack(LinearLayout.VERTICAL, gap, children.asList())

    fun column(children: List<View?>, gap: Int = 8): LinearLayout = stack(LinearLayout.VERTICAL, gap, children)

    /** Side by side; the first child takes the room that is left. */
    fun row(vararg children: View?, gap: Int = 8): LinearLayout = stack(LinearLayout.HORIZONTAL, gap, children.asList()).apply {
        gravity = Gravity.CENTER_VERTICAL
        getChildAt(0)?.let { (it.layoutParams as LinearLayout.LayoutParams).apply { width = 0; weight = 1f } }
    }

    /** Side by side, each as wide as it needs to be, in as many lines as that takes. */
    fun flow(children: List<View?>, gap: Int = 8): FlowLayout = FlowLayout(context, dp(gap)).apply {
        children.filterNotNull().forEach(::addView)
    }

    fun flow(vararg children: View?): FlowLayout = flow(children.asList())

    private fun stack(direction: Int, gap: Int, children: List<View?>) = LinearLayout(context).apply {
        orientation = direction
        val isColumn = direction == LinearLayout.VERTICAL
        children.filterNotNull().forEachIndexed { i, child ->
            val params = LinearLayout.LayoutParams(if (isColumn) MATCH_PARENT else WRAP_CONTENT, WRAP_CONTENT)
            if (i > 0) if (isColumn) params.topMargin = dp(gap) else params.marginStart = dp(gap)
            addView(child, params)
        }
    }

    fun text(words: CharSequence, size: Float = 16f, tone: Int = R.color.ink, bold: Boolean = false): TextView =
        TextView(context).apply {
            text = words
            textSize = size
            setTextColor(color(tone))
            setLineSpacing(0f, 1.1f)
            if (bold) typeface = Typeface.DEFAULT_BOLD
        }

    fun faint(words: CharSequence, size: Float = 14f): TextView = text(words, size, R.color.faint)

    fun heading(words: CharSequence): TextView = text(words, 13f, R.color.faint, bold = true).apply {
        setPadding(0, dp(8), 0, 0)
        isAccessibilityHeading = true
    }

    /** A word that says something about what it stands beside. */
    fun chip(words: CharSequence, tone: Tone = Tone.SOFT): TextView = text(words, 13f, tone.fore, bold = tone != Tone.PLAIN).apply {
        background = shape(tone.back, 10)
        setPadding(dp(9), dp(3), dp(9), dp(4))
    }

    fun card(vararg children: View?, tone: Tone = Tone.PLAIN, gap: Int = 8): LinearLayout = column(*children, gap = gap).apply {
        background = if (tone == Tone.PLAIN) shape(tone.back, 14, R.color.line) else shape(tone.back, 14)
        setPadding(dp(14), dp(12), dp(14), dp(12))
    }

    fun button(words: CharSequence, tag: String, tone: Tone = Tone.SOFT, press: (View) -> Unit): TextView =
        text(words, if (tone == Tone.STRONG) 17f else 15f, tone.fore, bold = true).apply {
            this.tag = tag
            gravity = Gravity.CENTER
            minHeight = dp(48)
            setPadding(dp(16), dp(10), dp(16), dp(10))
            val shape = if (tone == Tone.PLAIN) shape(tone.back, 12, R.color.line) else shape(tone.back, 12)
            background = ripple(shape)
            isClickable = true
            isFocusable = true
            setOnClickListener(press)
        }

    /** Makes a whole card one thing to press. */
    fun <V : View> V.pressed(tag: String, press: () -> Unit): V = apply {
        this.tag = tag
        background = ripple(background)
        isClickable = true
        isFocusable = true
        setOnClickListener { press() }
    }

    /** One out of a few, each one tap. */
    fun <T> choice(tag: String, options: List<Pair<T, String>>, chosen: T?, choose: (T) -> Unit): View {
        val chips = mutableListOf<Pair<T, TextView>>()
        fun mark(value: T?) = chips.forEach { (option, view) ->
            val isOn = option == value
            view.isSelected = isOn
            view.background = ripple(if (isOn) shape(R.color.accent, 12) else shape(R.color.card, 12, R.color.line))
            view.setTextColor(color(if (isOn) R.color.on_accent else R.color.ink))
        }
        options.forEach { (value, words) ->
            chips += value to button(words, "$tag-$value", Tone.PLAIN) {
                mark(value)
                choose(value)
            }
        }
        mark(chosen)
        return flow(chips.map { it.second })
    }

    /** Any out of a few, each one tap on and one tap off. */
    fun <T> toggles(tag: String, options: List<Pair<T, String>>, chosen: Set<T>, change: (T, Boolean) -> Unit): View = flow(
        options.map { (value, words) ->
            lateinit var view: TextView
            fun mark(isOn: Boolean) {
                view.isSelected = isOn
                view.text = if (isOn) "✓ $words" else words
                view.background = ripple(if (isOn) shape(R.color.accent, 12) else shape(R.color.card, 12, R.color.line))
                view.setTextColor(color(if (isOn) R.color.on_accent else R.color.ink))
            }
            view = button(words, "$tag-$value", Tone.PLAIN) {
                mark(!view.isSelected)
                change(value, view.isSelected)
            }
            mark(value in chosen)
            view
        },
    )

    fun field(label: String, tag: String, value: String = "", lines: Int = 1, number: Boolean = false, change: (String) -> Unit): View {
        val input = EditText(context).apply {
            this.tag = tag
            setText(value)
            textSize = 16f
            minHeight = dp(48)
            setTextColor(color(R.color.ink))
            background = shape(R.color.card, 10, R.color.line)
            setPadding(dp(12), dp(10), dp(12), dp(10))
            inputType = when {
                number -> InputType.TYPE_CLASS_NUMBER
                lines > 1 -> InputType.TYPE_CLASS_TEXT or InputType.TYPE_TEXT_FLAG_MULTI_LINE
                else -> InputType.TYPE_CLASS_TEXT
            }
            minLines = lines
            gravity = if (lines > 1) Gravity.TOP or Gravity.START else Gravity.CENTER_VERTICAL
            contentDescription = label
            addTextChangedListener(Typed(change))
        }
        return column(faint(label), input, gap = 4)
    }

    fun line(): View = object : View(context) {
        override fun onMeasure(widthSpec: Int, heightSpec: Int) = setMeasuredDimension(MeasureSpec.getSize(widthSpec), dp(1))
    }.apply { setBackgroundColor(color(R.color.line)) }

    fun shape(fill: Int, radius: Int, stroke: Int? = null): GradientDrawable = GradientDrawable().apply {
        setColor(color(fill))
        cornerRadius = dp(radius).toFloat()
        stroke?.let { setStroke(dp(1), color(it)) }
    }

    private fun ripple(content: Drawable?): Drawable =
        RippleDrawable(ColorStateList.valueOf(color(R.color.accent) and 0x33FFFFFF), content, content ?: shape(R.color.card, 12))
}
