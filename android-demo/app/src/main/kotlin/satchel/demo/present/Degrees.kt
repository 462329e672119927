package satchel.demo.present

import java.math.BigDecimal
import java.math.RoundingMode

/** What a courier types off a thermometer, in hundredths of a degree; `null` where it is no reading. */
fun centiDegrees(typed: String): Int? {
    val plain = typed.trim().removeSuffix("°C").removeSuffix("℃").trim()
        .replace(',', '.').replace('−', '-').replace('–', '-').replace("。", ".")
    val degrees = plain.toBigDecimalOrNull() ?: return null
    if (degrees.abs() > BigDecimal(100)) return null
    return degrees.movePointRight(2).setScale(0, RoundingMode.HALF_EVEN).toInt()
}
