package androidx.test.runner.lifecycle;

import java.util.concurrent.atomic.AtomicReference;

/** Holds the one monitor of activities. */
public final class ActivityLifecycleMonitorRegistry {
    private static final AtomicReference<ActivityLifecycleMonitor> MONITOR = new AtomicReference<>();

    private ActivityLifecycleMonitorRegistry() {}

    public static ActivityLifecycleMonitor getInstance() {
        ActivityLifecycleMonitor monitor = MONITOR.get();
        if (monitor == null) throw new IllegalStateException("no monitor of activities yet");
        return monitor;
    }

    public static void registerInstance(ActivityLifecycleMonitor monitor) {
        MONITOR.set(monitor);
    }
}
