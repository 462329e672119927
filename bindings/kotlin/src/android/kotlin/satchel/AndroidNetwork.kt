package satchel

import android.content.Context
import android.net.ConnectivityManager
import android.net.NetworkCapabilities

/** What network there is right now, as [SyncHost] asks before each request. Needs `ACCESS_NETWORK_STATE`. */
class AndroidNetwork(context: Context) : () -> NetworkState {
    private val manager = context.getSystemService(ConnectivityManager::class.java)

    override fun invoke(): NetworkState {
        val found = manager?.run { activeNetwork?.let(::getNetworkCapabilities) }
        return when {
            found == null || !found.hasCapability(NetworkCapabilities.NET_CAPABILITY_INTERNET) -> NetworkState.OFFLINE
            found.hasCapability(NetworkCapabilities.NET_CAPABILITY_NOT_METERED) -> NetworkState.UNMETERED
            else -> NetworkState.METERED
        }
    }
}
