package satchel.demo.view

import android.annotation.SuppressLint
import android.content.Context
import android.graphics.Canvas
import android.graphics.Paint
import android.graphics.Path
import android.view.MotionEvent
import android.view.View
import satchel.InkPoint
import satchel.ShownText
import satchel.Signature
import satchel.demo.R

/**
 * The signature pad. Ink is black on white in every theme, as the hub will show it.
 *
 * It takes every sample the system has, also those between two frames, and judges nothing: the core does.
 */
@SuppressLint("ViewConstructor")
class PadView(private val ui: Ui, private val statement: ShownText, private val drawn: () -> Unit) : View(ui.context) {
    private val strokes = mutableListOf<MutableList<InkPoint>>()
    private val path = Path()
    private val ink = Paint(Paint.ANTI_ALIAS_FLAG).apply {
        color = 0xFF111111.toInt()
        style = Paint.Style.STROKE
        strokeCap = Paint.Cap.ROUND
        strokeJoin = Paint.Join.ROUND
        strokeWidth = ui.dp(3).toFloat()
    }
    private val guide = Paint().apply {
        color = 0xFFB8C2BD.toInt()
        strokeWidth = ui.dp(1).toFloat()
    }
    private var startedAtMs = 0L

    init {
        tag = "pad"
        contentDescription = ui.words(R.string.sign_here)
        minimumHeight = ui.dp(180)
        background = ui.shape(R.color.card, 10, R.color.line).apply { setColor(0xFFFFFFFF.toInt()) }
    }

    /** The drawing for the core, or `null` while there is none. */
    fun signature(): Signature? = if (strokes.isEmpty()) null else {
        Signature(strokes.map { it.toList() }, width.toFloat(), height.toFloat(), statement)
    }

    fun clear() {
        strokes.clear()
        path.reset()
        invalidate()
        drawn()
    }

    override fun onMeasure(widthSpec: Int, heightSpec: Int) =
        setMeasuredDimension(MeasureSpec.getSize(widthSpec), suggestedMinimumHeight)

    @SuppressLint("ClickableViewAccessibility")
    override fun onTouchEvent(event: MotionEvent): Boolean {
        when (event.actionMasked) {
            MotionEvent.ACTION_DOWN -> {
                // The page must not scroll away under a name.
                parent?.requestDisallowInterceptTouchEvent(true)
                if (strokes.isEmpty()) startedAtMs = event.eventTime
                strokes += mutableListOf<InkPoint>()
                add(event.x, event.y, event.eventTime)
            }
            MotionEvent.ACTION_MOVE -> {
                for (i in 0 until event.historySize) {
                    add(event.getHistoricalX(i), event.getHistoricalY(i), event.getHistoricalEventTime(i))
                }
                add(event.x, event.y, event.eventTime)
            }
            MotionEvent.ACTION_UP -> {
                add(event.x, event.y, event.eventTime)
                drawn()
            }
            MotionEvent.ACTION_CANCEL -> drawn()
            else -> return false
        }
        invalidate()
        return true
    }

    private fun add(x: Float, y: Float, atMs: Long) {
        val stroke = strokes.lastOrNull() ?: return
        val inside = InkPoint(
            x.coerceIn(0f, width.toFloat()),
            y.coerceIn(0f, height.toFloat()),
            (atMs - startedAtMs).coerceAtLeast(0).toUInt(),
        )
        if (stroke.isEmpty()) path.moveTo(inside.x, inside.y) else path.lineTo(inside.x, inside.y)
        stroke += inside
    }

    override fun onDraw(canvas: Canvas) {
        val y = height * 0.78f
        canvas.drawLine(ui.dp(16).toFloat(), y, width - ui.dp(16).toFloat(), y, guide)
        canvas.drawPath(path, ink)
    }
}
