package androidx.test.runner.intent;

/** No intent is answered in place of another app. */
public final class IntentStubberRegistry {
    private IntentStubberRegistry() {}

    public static boolean isLoaded() {
        return false;
    }

    public static IntentStubber getInstance() {
        throw new IllegalStateException("no intent is stubbed here");
    }
}
