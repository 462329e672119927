package androidx.test.internal.platform.app;

import android.app.Activity;
import android.app.Instrumentation;
import android.content.Intent;
import android.os.Bundle;

/** Starts activities and takes them through their life. */
public interface ActivityInvoker {
    void startActivity(Intent intent, Bundle options);

    void startActivity(Intent intent);

    void startActivityForResult(Intent intent, Bundle options);

    void startActivityForResult(Intent intent);

    Instrumentation.ActivityResult getActivityResult();

    void resumeActivity(Activity activity);

    void pauseActivity(Activity activity);

    void stopActivity(Activity activity);

    void recreateActivity(Activity activity);

    void finishActivity(Activity activity);

    Intent getIntentForActivity(Class<? extends Activity> type);
}
