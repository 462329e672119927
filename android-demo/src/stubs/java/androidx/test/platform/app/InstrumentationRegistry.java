package androidx.test.platform.app;

import android.app.Instrumentation;
import android.os.Bundle;
import java.util.concurrent.atomic.AtomicReference;

/** Holds the one instrumentation of a test. */
public final class InstrumentationRegistry {
    private static final AtomicReference<Instrumentation> INSTANCE = new AtomicReference<>();

    private InstrumentationRegistry() {}

    public static Instrumentation getInstrumentation() {
        Instrumentation instrumentation = INSTANCE.get();
        if (instrumentation == null) throw new IllegalStateException("no instrumentation yet");
        return instrumentation;
    }

    public static void registerInstance(Instrumentation instrumentation, Bundle arguments) {
        INSTANCE.set(instrumentation);
    }
}
