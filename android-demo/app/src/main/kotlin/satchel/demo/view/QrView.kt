package satchel.demo.view

import android.annotation.SuppressLint
import android.graphics.Canvas
import android.graphics.Paint
import android.view.View
import satchel.QrCode

/** The rating code from its modules: black on white in every theme, with its margin, at whole pixels. */
@SuppressLint("ViewConstructor")
class QrView(ui: Ui, private val code: QrCode, description: String) : View(ui.context) {
    private val black = Paint().apply { color = 0xFF000000.toInt() }

    init {
        tag = "qr"
        contentDescription = description
    }

    override fun onMeasure(widthSpec: Int, heightSpec: Int) {
        val side = MeasureSpec.getSize(widthSpec)
        setMeasuredDimension(side, side)
    }

    override fun onDraw(canvas: Canvas) {
        canvas.drawColor(0xFFFFFFFF.toInt())
        val size = code.sizeModules.toInt()
        val module = width / (size + 2 * MARGIN_MODULES)
        val offset = (width - module * size) / 2
        for (y in 0 until size) for (x in 0 until size) {
            if (code.modules[y * size + x] == 1.toByte()) {
                val left = (offset + x * module).toFloat()
                val top = (offset + y * module).toFloat()
                canvas.drawRect(left, top, left + module, top + module, black)
            }
        }
    }

    private companion object {
        const val MARGIN_MODULES = 4
    }
}
