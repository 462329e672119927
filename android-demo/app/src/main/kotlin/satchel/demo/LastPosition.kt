package satchel.demo

import android.Manifest
import android.content.Context
import android.content.pm.PackageManager
import android.location.Location
import android.location.LocationManager
import android.os.Build
import android.os.SystemClock
import satchel.Position

/** The last position the device knows; `null` without permission. Never waited for: it is evidence, not a gate. */
class LastPosition(private val context: Context) : () -> Position? {
    override fun invoke(): Position? {
        if (context.checkSelfPermission(Manifest.permission.ACCESS_FINE_LOCATION) != PackageManager.PERMISSION_GRANTED) return null
        val manager = context.getSystemService(LocationManager::class.java) ?: return null
        val fix = listOf(LocationManager.GPS_PROVIDER, LocationManager.NETWORK_PROVIDER)
            .mapNotNull { provider -> runCatching { manager.getLastKnownLocation(provider) }.getOrNull() }
            .maxByOrNull { it.elapsedRealtimeNanos } ?: return null
        val ageMs = (SystemClock.elapsedRealtimeNanos() - fix.elapsedRealtimeNanos) / 1_000_000
        return Position(fix.latitude, fix.longitude, fix.accuracy, ageMs.coerceAtLeast(0), isMock(fix))
    }

    @Suppress("DEPRECATION")
    private fun isMock(fix: Location) = if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.S) fix.isMock else fix.isFromMockProvider
}
