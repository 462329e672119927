package satchel.demo.view

import java.text.DateFormat
import java.text.NumberFormat
import java.util.Currency
import java.util.Date
import java.util.Locale
import satchel.SyncStatus
import satchel.Text
import satchel.demo.R

/** Times, lengths, sizes and the core's two languages as this courier reads them. */
class Words(private val ui: Ui) {
    val locale: Locale get() = ui.context.resources.configuration.locales[0]

    fun of(text: Text): String = text.said(locale)

    fun clock(atMs: Long): String = DateFormat.getTimeInstance(DateFormat.SHORT, locale).format(Date(atMs))

    fun day(atMs: Long): String = DateFormat.getDateInstance(DateFormat.MEDIUM, locale).format(Date(atMs))

    /** What is only on this phone, in numbers. */
    fun unsent(sync: SyncStatus): String {
        val entries = sync.unsentEntries.toInt()
        val proofs = sync.unsentProofs.toInt()
        return ui.words(R.string.unsent, ui.count(R.plurals.records, entries, entries), ui.count(R.plurals.proofs, proofs, proofs))
    }

    /** A length of time, as rough as it is long. */
    fun span(ms: Long): String {
        val minutes = (ms.coerceAtLeast(0) + 30_000) / 60_000
        return when {
            ms < 60_000 -> ui.words(R.string.span_s, ms.coerceAtLeast(0) / 1_000)
            minutes < 60 -> ui.words(R.string.span_min, minutes)
            minutes < 48 * 60 -> ui.words(R.string.span_h, minutes / 60, minutes % 60)
            else -> ui.words(R.string.span_d, minutes / 1_440)
        }
    }

    fun size(bytes: ULong): String = when {
        bytes < 1_000_000u -> ui.words(R.string.size_kb, (bytes.toLong() + 999) / 1_000)
        bytes >= 1_000_000_000u -> ui.words(R.string.size_gb, bytes.toLong() / 1_000_000_000.0)
        else -> ui.words(R.string.size_mb, bytes.toLong() / 1_000_000.0)
    }

    fun km(metres: Double): String = ui.words(R.string.km, metres / 1_000)

    fun money(minor: Long, currency: String): String = NumberFormat.getCurrencyInstance(locale).run {
        this.currency = Currency.getInstance(currency)
        format(minor / 100.0)
    }

    fun number(value: Double): String = NumberFormat.getNumberInstance(locale).run {
        maximumFractionDigits = 2
        format(value)
    }
}
