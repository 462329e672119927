package androidx.test.runner.intent;

/** Takes the monitor of intents; nobody here asks for it. */
public final class IntentMonitorRegistry {
    private IntentMonitorRegistry() {}

    public static void registerInstance(IntentMonitor monitor) {}
}
