package satchel.demo

import android.Manifest
import android.app.Activity
import android.content.ActivityNotFoundException
import android.content.Context
import android.content.Intent
import android.content.pm.PackageManager
import android.content.res.Configuration
import android.graphics.Color
import android.net.Uri
import android.os.Bundle
import android.provider.MediaStore
import android.view.Gravity
import android.view.View
import android.view.ViewGroup.LayoutParams.MATCH_PARENT
import android.view.ViewGroup.LayoutParams.WRAP_CONTENT
import android.view.WindowManager
import android.widget.LinearLayout
import android.widget.ScrollView
import android.widget.TextView
import java.io.File
import java.util.Locale
import java.util.concurrent.atomic.AtomicInteger
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.launch
import satchel.DatabaseKey
import satchel.SatchelException
import satchel.demo.screen.DayScreen
import satchel.demo.screen.MapScreen
import satchel.demo.screen.RouteScreen
import satchel.demo.screen.Screen
import satchel.demo.screen.SettingsScreen
import satchel.demo.screen.Shell
import satchel.demo.screen.TroubleScreen
import satchel.demo.screen.troubleWords
import satchel.demo.view.Tone
import satchel.demo.view.Ui
import satchel.demo.view.Words

/** The one activity: a stack of screens between a bar above and a bar below. */
class MainActivity : Activity(), Shell {
    override val context: Context get() = this
    override val desk: Desk get() = (application as DemoApp).desk
    override val ui by lazy { Ui(this) }
    override val words by lazy { Words(ui) }

    /** Actions under way; a test waits until there are none. */
    val busy = AtomicInteger()

    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Main)
    private val screens = ArrayDeque<Screen>()
    private var showing: Job? = null
    private var afterPhoto: (suspend (File) -> Unit)? = null
    private var afterScan: (suspend (String) -> Unit)? = null
    private lateinit var scroll: ScrollView
    private lateinit var frame: LinearLayout
    private var banner: TextView? = null

    override fun attachBaseContext(base: Context) {
        val language = Settings(base).language
        if (language.isEmpty()) return super.attachBaseContext(base)
        val locale = if (language == "zh") Locale.SIMPLIFIED_CHINESE else Locale.ENGLISH
        super.attachBaseContext(base.createConfigurationContext(Configuration(base.resources.configuration).apply { setLocale(locale) }))
    }

    override fun onCreate(saved: Bundle?) {
        super.onCreate(saved)
        frame = LinearLayout(this).apply {
            orientation = LinearLayout.VERTICAL
            setBackgroundColor(ui.color(R.color.paper))
            setOnApplyWindowInsetsListener { view, insets ->
                view.setPadding(insets.systemWindowInsetLeft, insets.systemWindowInsetTop, insets.systemWindowInsetRight, insets.systemWindowInsetBottom)
                insets
            }
        }
        setContentView(frame)
        start(RouteScreen(this))
    }

    override fun onStart() {
        super.onStart()
        act {
            desk.resume()
            desk.follow()
        }
    }

    /** The system may now stop the process: no file stays open, no lock held. */
    override fun onStop() {
        super.onStop()
        showing?.cancel()
        CoroutineScope(Dispatchers.Default).launch { desk.pause() }
    }

    override fun onRestart() {
        super.onRestart()
        act {
            desk.resume()
            show()
        }
    }

    override fun onDestroy() {
        scope.cancel()
        super.onDestroy()
    }

    override fun go(screen: Screen) {
        screens.addLast(screen)
        show()
    }

    override fun start(screen: Screen) {
        screens.clear()
        go(screen)
    }

    override fun back() {
        screens.removeLastOrNull()
        if (screens.isEmpty()) start(RouteScreen(this)) else show()
    }

    @Deprecated("Deprecated in Java")
    override fun onBackPressed() = if (screens.size > 1) back() else finish()

    override fun restart() = recreate()

    override fun say(line: String, bad: Boolean) {
        val tone = if (bad) Tone.BAD else Tone.SOFT
        banner?.apply {
            text = line
            background = ui.shape(tone.back, 0)
            setTextColor(ui.color(tone.fore))
            visibility = View.VISIBLE
            announceForAccessibility(line)
        }
    }

    override fun act(action: suspend () -> Unit) {
        busy.incrementAndGet()
        // What was said about the last action is over with the next.
        banner?.visibility = View.GONE
        scope.launch {
            try {
                action()
            } catch (error: SatchelException) {
                say(troubleWords(ui, error), bad = true)
            } catch (error: DatabaseKey.KeyLost) {
                say(troubleWords(ui, error), bad = true)
            } finally {
                busy.decrementAndGet()
            }
        }
    }

    /** Draws the screen on top, and again whenever it has news. */
    private fun show() {
        val screen = screens.last()
        showing?.cancel()
        frame.removeAllViews()
        banner = ui.text("", 15f).apply {
            setPadding(ui.dp(16), ui.dp(10), ui.dp(16), ui.dp(10))
            visibility = View.GONE
            tag = "banner"
            accessibilityLiveRegion = View.ACCESSIBILITY_LIVE_REGION_POLITE
        }
        scroll = ScrollView(this).apply { isFillViewport = screen.isBare }
        frame.setBackgroundColor(if (screen.isBare) Color.WHITE else ui.color(R.color.paper))
        bright(screen.isBare)
        frame.addView(bar(screen))
        frame.addView(banner, LinearLayout.LayoutParams(MATCH_PARENT, WRAP_CONTENT))
        frame.addView(scroll, LinearLayout.LayoutParams(MATCH_PARENT, 0, 1f))
        if (screen.isTab) frame.addView(tabs(screen))
        showing = scope.launch {
            try {
                screen.run { content ->
                    val at = scroll.scrollY
                    content.setPadding(ui.dp(16), ui.dp(8), ui.dp(16), ui.dp(24))
                    scroll.removeAllViews()
                    scroll.addView(content)
                    scroll.post { scroll.scrollTo(0, at) }
                }
            } catch (cancelled: CancellationException) {
                throw cancelled
            } catch (error: SatchelException) {
                if (error !is SatchelException.Paused) start(TroubleScreen(this@MainActivity, error))
            } catch (error: DatabaseKey.KeyLost) {
                start(TroubleScreen(this@MainActivity, error))
            }
        }
    }

    private fun bar(screen: Screen): View = LinearLayout(this).apply {
        gravity = Gravity.CENTER_VERTICAL
        minimumHeight = ui.dp(56)
        setPadding(ui.dp(if (screens.size > 1) 4 else 16), 0, ui.dp(16), 0)
        val ink = if (screen.isBare) Color.BLACK else ui.color(R.color.ink)
        if (screens.size > 1) {
            addView(
                ui.text("‹", 30f).apply {
                    tag = "back"
                    setTextColor(ink)
                    gravity = Gravity.CENTER
                    minWidth = ui.dp(48)
                    minHeight = ui.dp(48)
                    contentDescription = getString(R.string.back)
                    setOnClickListener { back() }
                },
            )
        }
        addView(ui.text(screen.title, 20f, bold = true).apply { setTextColor(ink) })
    }

    private fun tabs(screen: Screen): View = ui.column(ui.line(), tabRow(screen), gap = 0)

    private fun tabRow(screen: Screen): View = LinearLayout(this).apply {
        setBackgroundColor(ui.color(R.color.card))
        // With large text one label may take two lines; the others must not push it out of the row.
        isBaselineAligned = false
        val tabs = listOf(
            Triple("tab-route", R.string.route, ::RouteScreen), Triple("tab-map", R.string.map, ::MapScreen),
            Triple("tab-day", R.string.my_day, ::DayScreen), Triple("tab-settings", R.string.settings, ::SettingsScreen),
        )
        tabs.forEach { (tag, title, make) ->
            val isHere = getString(title) == screen.title
            val view = ui.text(getString(title), 14f, if (isHere) R.color.accent else R.color.faint, bold = isHere).apply {
                this.tag = tag
                gravity = Gravity.CENTER
                minHeight = ui.dp(56)
                isSelected = isHere
                setOnClickListener { start(make(this@MainActivity)) }
            }
            addView(view, LinearLayout.LayoutParams(0, MATCH_PARENT, 1f))
        }
    }

    /** A code is scanned off a bright screen. */
    private fun bright(on: Boolean) {
        window.attributes = window.attributes.apply {
            screenBrightness = if (on) WindowManager.LayoutParams.BRIGHTNESS_OVERRIDE_FULL else WindowManager.LayoutParams.BRIGHTNESS_OVERRIDE_NONE
        }
    }

    override fun takePhoto(taken: suspend (File) -> Unit) {
        afterPhoto = taken
        PhotoProvider.file(this).delete()
        val intent = Intent(MediaStore.ACTION_IMAGE_CAPTURE)
            .putExtra(MediaStore.EXTRA_OUTPUT, PhotoProvider.URI)
            .addFlags(Intent.FLAG_GRANT_WRITE_URI_PERMISSION)
        try {
            @Suppress("DEPRECATION")
            startActivityForResult(intent, PHOTO)
        } catch (_: ActivityNotFoundException) {
            say(getString(R.string.no_camera), bad = true)
        }
    }

    /** By the intent that scanner apps and rugged phones' own scanners answer to; it takes no library and no permission. */
    override fun scan(found: suspend (String) -> Unit) {
        afterScan = found
        try {
            @Suppress("DEPRECATION")
            startActivityForResult(Intent(SCANNER), SCAN)
        } catch (_: ActivityNotFoundException) {
            say(getString(R.string.no_scanner), bad = true)
        }
    }

    @Deprecated("Deprecated in Java")
    public override fun onActivityResult(request: Int, result: Int, data: Intent?) {
        if (request == SCAN) {
            val text = data?.getStringExtra(SCANNED)
            val found = afterScan
            afterScan = null
            if (result == RESULT_OK && found != null && !text.isNullOrBlank()) act { found(text) }
            return
        }
        val file = PhotoProvider.file(this)
        val taken = afterPhoto
        afterPhoto = null
        if (request == PHOTO && result == RESULT_OK && taken != null && file.length() > 0) act { taken(file) }
    }

    override fun dial(number: String) {
        try {
            startActivity(Intent(Intent.ACTION_DIAL, Uri.fromParts("tel", number, null)))
        } catch (_: ActivityNotFoundException) {
            say(number)
        }
    }

    override fun askForPosition() {
        if (checkSelfPermission(Manifest.permission.ACCESS_FINE_LOCATION) != PackageManager.PERMISSION_GRANTED) {
            requestPermissions(arrayOf(Manifest.permission.ACCESS_FINE_LOCATION), POSITION)
        }
    }

    companion object {
        const val PHOTO = 1
        private const val POSITION = 2
        const val SCAN = 3
        const val SCANNER = "com.google.zxing.client.android.SCAN"
        const val SCANNED = "SCAN_RESULT"
    }
}
