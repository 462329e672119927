package androidx.test.runner.lifecycle;

/** Told about an application's start; nobody here asks it anything. */
public interface ApplicationLifecycleMonitor {}
