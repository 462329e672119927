package androidx.test.internal.platform.os;

import android.view.View;

/** Drives the main thread by hand. */
public interface ControlledLooper {
    void drainMainThreadUntilIdle();

    void simulateWindowFocus(View decorView);
}
