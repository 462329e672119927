package satchel.demo

import android.content.Context
import satchel.SyncHost
import satchel.SyncJobService

/** The sync while nobody looks at the app. */
class SyncJob : SyncJobService() {
    override suspend fun host(): SyncHost = (application as DemoApp).desk.host()

    companion object {
        private const val JOB_ID = 1

        fun request(context: Context) = request(context, SyncJob::class.java, JOB_ID)
    }
}
