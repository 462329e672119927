package satchel.demo.view

import android.content.Context
import android.text.Editable
import android.text.TextWatcher
import android.view.View
import android.view.ViewGroup
import kotlin.math.max

/** Tells what was typed. */
internal class Typed(private val change: (String) -> Unit) : TextWatcher {
    override fun beforeTextChanged(s: CharSequence?, start: Int, count: Int, after: Int) = Unit

    override fun onTextChanged(s: CharSequence?, start: Int, before: Int, count: Int) = Unit

    override fun afterTextChanged(s: Editable?) = change(s?.toString().orEmpty())
}

/** Puts children side by side and breaks the line where the next one does not fit. */
class FlowLayout(context: Context, private val gap: Int) : ViewGroup(context) {
    override fun onMeasure(widthSpec: Int, heightSpec: Int) {
        val width = MeasureSpec.getSize(widthSpec)
        val height = place(width) { child, _, _ ->
            child.measure(
                MeasureSpec.makeMeasureSpec(width, MeasureSpec.AT_MOST),
                MeasureSpec.makeMeasureSpec(0, MeasureSpec.UNSPECIFIED),
            )
        }
        setMeasuredDimension(width, height)
    }

    override fun onLayout(changed: Boolean, left: Int, top: Int, right: Int, bottom: Int) {
        place(right - left, layout = { child, x, y ->
            val start = if (layoutDirection == View.LAYOUT_DIRECTION_RTL) right - left - x - child.measuredWidth else x
            child.layout(start, y, start + child.measuredWidth, y + child.measuredHeight)
        })
    }

    private fun place(width: Int, layout: ((View, Int, Int) -> Unit)? = null, measure: ((View, Int, Int) -> Unit)? = null): Int {
        var x = 0
        var y = 0
        var line = 0
        for (i in 0 until childCount) {
            val child = getChildAt(i)
            if (child.visibility == GONE) continue
            measure?.invoke(child, x, y)
            if (x > 0 && x + child.measuredWidth > width) {
                x = 0
                y += line + gap
                line = 0
            }
            layout?.invoke(child, x, y)
            x += child.measuredWidth + gap
            line = max(line, child.measuredHeight)
        }
        return y + line
    }
}
