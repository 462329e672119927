package androidx.test.internal.platform;

/** Says which thread code runs on. */
public interface ThreadChecker {
    void checkMainThread();

    void checkNotMainThread();
}
