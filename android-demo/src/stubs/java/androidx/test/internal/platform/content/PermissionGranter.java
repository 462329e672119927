package androidx.test.internal.platform.content;

/** Grants permissions without asking anybody. */
public interface PermissionGranter {
    void addPermissions(String... permissions);

    void requestPermissions();
}
