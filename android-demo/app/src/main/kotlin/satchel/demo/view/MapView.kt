package satchel.demo.view

import android.annotation.SuppressLint
import android.graphics.Canvas
import android.graphics.DashPathEffect
import android.graphics.Paint
import android.graphics.Path
import android.graphics.Typeface
import android.view.View
import kotlin.math.cos
import kotlin.math.max
import satchel.Place
import satchel.demo.R

/** A door on the map. */
data class Pin(val label: String, val lat: Double, val lng: Double, val tone: Tone)

/** What to draw: the doors, the order as it was, and the order to drive. */
data class MapDrawing(val pins: List<Pin>, val before: List<Place>, val after: List<Place>)

/**
 * The order on paper: no tiles, so no network, and nobody learns where the courier is.
 *
 * North is up, one scale for both directions; a bar tells how long a kilometre is.
 */
@SuppressLint("ViewConstructor")
class MapView(private val ui: Ui, private val drawing: MapDrawing, description: String) : View(ui.context) {
    private val after = stroke(R.color.accent, 3f)
    private val before = stroke(R.color.faint, 1.5f).apply {
        pathEffect = DashPathEffect(floatArrayOf(ui.dp(5).toFloat(), ui.dp(5).toFloat()), 0f)
    }
    private val fill = Paint(Paint.ANTI_ALIAS_FLAG)
    private val rim = stroke(R.color.card, 2f)
    private val label = Paint(Paint.ANTI_ALIAS_FLAG).apply {
        textAlign = Paint.Align.CENTER
        typeface = Typeface.DEFAULT_BOLD
        textSize = ui.dp(12).toFloat()
    }
    private val places = drawing.pins.map { Place(it.lat, it.lng) } + drawing.before + drawing.after
    private val south = places.minOfOrNull { it.lat } ?: 0.0
    private val north = places.maxOfOrNull { it.lat } ?: 0.0
    private val west = places.minOfOrNull { it.lng } ?: 0.0
    private val east = places.maxOfOrNull { it.lng } ?: 0.0
    private val narrow = cos(Math.toRadians((south + north) / 2))

    init {
        tag = "map"
        contentDescription = description
        background = ui.shape(R.color.card, 14, R.color.line)
    }

    private fun stroke(tone: Int, widthDp: Float) = Paint(Paint.ANTI_ALIAS_FLAG).apply {
        color = ui.color(tone)
        style = Paint.Style.STROKE
        strokeJoin = Paint.Join.ROUND
        strokeCap = Paint.Cap.ROUND
        strokeWidth = widthDp * ui.dp(1)
    }

    override fun onMeasure(widthSpec: Int, heightSpec: Int) {
        val width = MeasureSpec.getSize(widthSpec)
        setMeasuredDimension(width, width * 5 / 4)
    }

    private val pad get() = ui.dp(28).toFloat()

    /** Room for the bar of the scale. */
    private val foot get() = ui.dp(20).toFloat()

    /** Pixels to a degree of latitude. */
    private val scale: Double
        get() {
            val high = (height - foot - 2 * pad) / max(north - south, LEAST_DEGREES)
            val wide = (width - 2 * pad) / max((east - west) * narrow, LEAST_DEGREES)
            return minOf(high, wide)
        }

    private fun x(lng: Double) = (width / 2 + (lng - (west + east) / 2) * narrow * scale).toFloat()

    private fun y(lat: Double) = ((height - foot) / 2 - (lat - (south + north) / 2) * scale).toFloat()

    override fun onDraw(canvas: Canvas) {
        canvas.drawPath(path(drawing.before), before)
        canvas.drawPath(path(drawing.after), after)
        drawing.after.firstOrNull()?.let {
            fill.color = ui.color(R.color.ink)
            val r = ui.dp(6).toFloat()
            canvas.drawRect(x(it.lng) - r, y(it.lat) - r, x(it.lng) + r, y(it.lat) + r, fill)
        }
        // The next door last, so that it lies on top.
        drawing.pins.asReversed().forEach { pin ->
            val radius = ui.dp(13).toFloat()
            fill.color = ui.color(pin.tone.back)
            canvas.drawCircle(x(pin.lng), y(pin.lat), radius, fill)
            canvas.drawCircle(x(pin.lng), y(pin.lat), radius, rim)
            label.color = ui.color(pin.tone.fore)
            canvas.drawText(pin.label, x(pin.lng), y(pin.lat) - (label.ascent() + label.descent()) / 2, label)
        }
        drawScale(canvas)
    }

    private fun path(places: List<Place>) = Path().apply {
        places.forEachIndexed { i, place ->
            if (i == 0) moveTo(x(place.lng), y(place.lat)) else lineTo(x(place.lng), y(place.lat))
        }
    }

    private fun drawScale(canvas: Canvas) {
        val metres = SCALES_M.lastOrNull { it / METRES_A_DEGREE * scale < width / 3 } ?: return
        val length = (metres / METRES_A_DEGREE * scale).toFloat()
        val x = ui.dp(14).toFloat()
        val y = height - ui.dp(12).toFloat()
        before.pathEffect.let { dashes ->
            before.pathEffect = null
            canvas.drawLine(x, y, x + length, y, before)
            before.pathEffect = dashes
        }
        label.color = ui.color(R.color.faint)
        val words = if (metres < 1_000) "$metres m" else "${metres / 1_000} km"
        canvas.drawText(words, x + length / 2, y - ui.dp(5), label)
    }

    private companion object {
        const val LEAST_DEGREES = 0.002
        const val METRES_A_DEGREE = 111_195.0
        val SCALES_M = listOf(50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)
    }
}
