package satchel

import android.app.job.JobInfo
import android.app.job.JobParameters
import android.app.job.JobScheduler
import android.app.job.JobService
import android.content.ComponentName
import android.content.Context
import android.os.PersistableBundle
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.launch

/**
 * The sync as a job of the system: needs a network, ends cleanly when the system takes it away.
 *
 * The framework's scheduler, so that the package depends on no library; a `CoroutineWorker` of WorkManager
 * is the same three lines around [SyncHost.syncOnce]. Derive from it, say which host to run, and declare it
 * in the manifest with `android.permission.BIND_JOB_SERVICE`.
 */
abstract class SyncJobService : JobService() {
    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Default)
    private var running: Job? = null

    /** The host of the app's one phone, or `null` when there is nothing to sync (signed out). */
    protected abstract suspend fun host(): SyncHost?

    override fun onStartJob(params: JobParameters): Boolean {
        running = scope.launch {
            val end = try {
                host()?.syncOnce(JOB_MS) ?: SyncEnd.Done
            } catch (_: SatchelException) {
                // Paused, shut down or full: the next job finds out again.
                SyncEnd.Stopped
            }
            jobFinished(params, end.wantsAnotherRun)
        }
        return true
    }

    /** The system wants its network back: the request under way is ended and counts as failed. */
    override fun onStopJob(params: JobParameters): Boolean {
        running?.cancel()
        return true
    }

    companion object {
        /** The system grants ten minutes; the last one is for ending. */
        private const val JOB_MS = 9 * 60_000L

        /**
         * Asks for a run as soon as there is a network, and keeps asking every fifteen minutes.
         * Call it after each record; a second call replaces the first.
         */
        fun request(context: Context, service: Class<out SyncJobService>, jobId: Int) {
            val scheduler = context.getSystemService(JobScheduler::class.java) ?: return
            val component = ComponentName(context, service)
            val now = JobInfo.Builder(jobId, component)
                .setRequiredNetworkType(JobInfo.NETWORK_TYPE_ANY)
                .setBackoffCriteria(30_000, JobInfo.BACKOFF_POLICY_EXPONENTIAL)
                .setExtras(PersistableBundle.EMPTY)
            scheduler.schedule(now.build())
            if (scheduler.getPendingJob(jobId + 1) == null) {
                val later = JobInfo.Builder(jobId + 1, component)
                    .setRequiredNetworkType(JobInfo.NETWORK_TYPE_ANY)
                    .setPeriodic(15 * 60_000L)
                scheduler.schedule(later.build())
            }
        }
    }
}
