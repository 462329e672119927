package satchel.demo

import android.app.Activity
import android.content.Intent
import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.Color
import android.graphics.Paint
import android.os.Looper
import android.os.SystemClock
import android.view.MotionEvent
import android.view.View
import android.view.ViewGroup
import android.widget.CompoundButton
import android.widget.EditText
import android.widget.ScrollView
import android.widget.TextView
import java.io.File
import java.time.Instant
import kotlin.math.sin
import org.robolectric.Robolectric
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController

/** A finger and a pair of eyes: presses what is on the screen, and keeps pictures of it. */
class Driver(private val pictures: File) {
    val controller: ActivityController<MainActivity> = Robolectric.buildActivity(MainActivity::class.java)
    val activity: MainActivity get() = controller.get()
    val root: View get() = activity.window.decorView
    var taps = 0

    init {
        pictures.mkdirs()
        realTime()
        controller.setup()
        settle()
    }

    /** The framework's clock stands still here; the library's does not. */
    private fun realTime() = SystemClock.setCurrentTimeMillis(Instant.now().toEpochMilli())

    fun settle() {
        until("nothing to be under way") { activity.busy.get() == 0 }
        repeat(5) {
            Thread.sleep(20)
            shadowOf(Looper.getMainLooper()).idle()
        }
        until("nothing to be under way") { activity.busy.get() == 0 }
    }

    fun until(what: String, condition: () -> Boolean) {
        val deadline = Instant.now().plusSeconds(30)
        while (true) {
            shadowOf(Looper.getMainLooper()).idle()
            if (condition()) return
            check(Instant.now().isBefore(deadline)) { "waited in vain for $what; on the screen: ${texts()}" }
            Thread.sleep(10)
            realTime()
        }
    }

    fun find(tag: String): View? = root.findViewWithTag(tag)

    fun await(tag: String): View {
        until(tag) { find(tag) != null }
        return checkNotNull(find(tag))
    }

    fun tap(tag: String) {
        val view = await(tag)
        check(view.isEnabled && view.isShown && (view.performClick() || view is CompoundButton)) { "$tag cannot be pressed" }
        taps++
        settle()
    }

    fun type(tag: String, text: String) {
        (await(tag) as EditText).setText(text)
        settle()
    }

    fun texts(): List<String> = views(root).filterIsInstance<TextView>().filter { it.isShown }.map { it.text.toString() }.toList()

    fun says(text: String): Boolean = texts().any { text in it }

    fun banner(): String = (find("banner") as? TextView)?.takeIf { it.visibility == View.VISIBLE }?.text?.toString().orEmpty()

    private fun views(view: View): Sequence<View> = sequence {
        yield(view)
        if (view is ViewGroup) for (i in 0 until view.childCount) yieldAll(views(view.getChildAt(i)))
    }

    /** Everything that can be touched and is smaller than a finger. */
    fun tooSmall(): List<String> {
        val least = (48 * activity.resources.displayMetrics.density).toInt() - 1
        return views(root).filter { it.isShown && it.isClickable && it.height in 1 until least && it !is EditText }
            .map { "${it.tag}: ${it.height} px" }.toList()
    }

    /** Lines of text that do not fit where they stand. */
    fun cutOff(): List<String> = views(root).filterIsInstance<TextView>().filter { it.isShown && it.layout != null && it.width > 0 }
        .filter { view -> view.layout.height > view.height || view.bottom > (view.parent as View).height || (0 until view.layout.lineCount).any { view.layout.getEllipsisCount(it) > 0 } }
        .map { it.text.toString() }.toList()

    /** What the camera app would have written. */
    fun photograph(seed: Int) {
        val bitmap = Bitmap.createBitmap(1_280, 960, Bitmap.Config.ARGB_8888)
        val canvas = Canvas(bitmap)
        canvas.drawColor(Color.rgb(196, 188, 176))
        val paint = Paint()
        for (i in 0 until 60) {
            paint.color = Color.rgb((i * 37 + seed * 11) % 256, (i * 59 + seed) % 256, (i * 83) % 256)
            canvas.drawRect(0f + (i * 97 + seed * 13) % 1_180, 0f + (i * 61) % 880, 90f + (i * 97 + seed * 13) % 1_180, 70f + (i * 61) % 880, paint)
        }
        paint.color = Color.WHITE
        canvas.drawRect(380f, 260f, 900f, 620f, paint)
        paint.color = Color.BLACK
        paint.textSize = 64f
        canvas.drawText("AD-$seed", 430f, 360f, paint)
        for (i in 0 until 60) canvas.drawRect(430f + i * 7, 420f, 430f + i * 7 + 2 + i * 5 % 4, 560f, paint)
        PhotoProvider.file(activity).outputStream().use { bitmap.compress(Bitmap.CompressFormat.JPEG, 90, it) }
        @Suppress("DEPRECATION")
        activity.onActivityResult(MainActivity.PHOTO, Activity.RESULT_OK, null)
        settle()
    }

    /** What a scanner app would have answered. */
    fun scanned(text: String) {
        @Suppress("DEPRECATION")
        activity.onActivityResult(MainActivity.SCAN, Activity.RESULT_OK, Intent().putExtra(MainActivity.SCANNED, text))
        settle()
    }

    /** Two strokes with a finger. */
    fun sign() {
        val pad = await("pad")
        val width = pad.width.toFloat()
        val height = pad.height.toFloat()
        stroke(pad, (0..60).map { width * (0.12f + it * 0.011f) to height * (0.5f + 0.22f * sin(it / 4.0).toFloat()) })
        stroke(pad, (0..25).map { width * (0.3f + it * 0.02f) to height * (0.72f - it * 0.006f) })
        settle()
    }

    private var atMs = 10_000L

    private fun stroke(view: View, points: List<Pair<Float, Float>>) {
        val downMs = atMs
        points.forEachIndexed { i, (x, y) ->
            val action = if (i == 0) MotionEvent.ACTION_DOWN else if (i == points.lastIndex) MotionEvent.ACTION_UP else MotionEvent.ACTION_MOVE
            view.dispatchTouchEvent(MotionEvent.obtain(downMs, atMs, action, x, y, 0))
            atMs += 12
        }
        atMs += 150
    }

    /** A picture of the screen as it is; `whole`: as long as its content. */
    fun shot(name: String, whole: Boolean = false) {
        settle()
        val scroll = views(root).filterIsInstance<ScrollView>().first()
        val extra = if (whole) (scroll.getChildAt(0)?.height ?: 0) - scroll.height else 0
        val width = root.width
        val height = root.height + extra.coerceAtLeast(0)
        if (extra > 0) lay(width, height)
        val bitmap = Bitmap.createBitmap(width, height, Bitmap.Config.ARGB_8888)
        root.draw(Canvas(bitmap))
        pictures.resolve("$name.png").outputStream().use { bitmap.compress(Bitmap.CompressFormat.PNG, 100, it) }
        check(colours(bitmap) > 2) { "$name is an empty picture" }
        if (extra > 0) lay(width, root.height - extra)
    }

    private fun lay(width: Int, height: Int) {
        root.measure(View.MeasureSpec.makeMeasureSpec(width, View.MeasureSpec.EXACTLY), View.MeasureSpec.makeMeasureSpec(height, View.MeasureSpec.EXACTLY))
        root.layout(0, 0, width, height)
    }

    private fun colours(bitmap: Bitmap): Int {
        val seen = mutableSetOf<Int>()
        for (y in 0 until bitmap.height step 7) for (x in 0 until bitmap.width step 7) seen += bitmap.getPixel(x, y)
        return seen.size
    }
}
