package androidx.test.runner.intent;

/** Told about intents; nobody here asks it anything. */
public interface IntentMonitor {}
