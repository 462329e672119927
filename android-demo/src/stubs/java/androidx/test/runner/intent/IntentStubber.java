package androidx.test.runner.intent;

import android.app.Instrumentation;
import android.content.Intent;

/** Would answer an intent in place of another app. */
public interface IntentStubber {
    Instrumentation.ActivityResult getActivityResultForIntent(Intent intent);
}
