package androidx.test.platform.ui;

/** A touch or key was not let in. */
public class InjectEventSecurityException extends Exception {
    private static final long serialVersionUID = 1L;

    public InjectEventSecurityException(String what) {
        super(what);
    }
}
