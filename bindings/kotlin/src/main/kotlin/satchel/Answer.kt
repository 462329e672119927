package satchel

import java.util.Locale

/** A text in both languages, as the library explains itself. */
data class Text(val zh: String, val en: String) {
    /** The Chinese words for a Chinese locale, the English ones for every other. */
    fun said(locale: Locale = Locale.getDefault()): String = if (locale.language == "zh") zh else en
}

/** The word's two texts. */
val Word.text: Text get() = Text(textZh, textEn)

/** What to write on the checklist. */
val Requirement.text: Text get() = Text(textZh, textEn)

/** Why the handoff cannot be started. */
val HandoffLock.text: Text get() = Text(textZh, textEn)

/** The doubt about a drawing. */
val SignatureDoubt.text: Text get() = Text(textZh, textEn)

/** Why a stop is where it is. */
val StopWhy.text: Text get() = Text(textZh, textEn)

/**
 * What came of a call, by what the app does next; an exhaustive `when` over it forgets nothing.
 *
 * [CourierPhone.ask] gives one instead of throwing. Defects of the app itself
 * ([SatchelException.InvalidInput]) and a closed phone are thrown there too: no screen can mend them.
 */
sealed class Answer<out T> {
    /** It is done; a record is on disk and flushed. */
    data class Done<T>(val value: T) : Answer<T>()

    /** The rules do not allow it: show [text], let the courier add what is [missing] or choose otherwise. */
    data class Refused(val rule: RefusalRule, val missing: List<RequirementItem>, val text: Text) : Answer<Nothing>()

    /** The photo or the signature cannot be a proof: show [text] and ask for another one. */
    data class TakeAgain(val text: Text) : Answer<Nothing>()

    /** It was done before and that stands: go on as after success. */
    data class Already(val what: String) : Answer<Nothing>()

    /** What was asked for is not on this phone: read the list again. */
    data class Gone(val what: String) : Answer<Nothing>()

    /** The device is full: ask to free space and repeat. Nothing acknowledged is lost. */
    object StorageFull : Answer<Nothing>()

    /** The store or the library cannot do it now; [error] says why. */
    data class Failed(val error: SatchelException) : Answer<Nothing>()
}

/** Sorts what [call] threw by what to do about it. */
internal inline fun <T> answer(call: () -> T): Answer<T> = try {
    Answer.Done(call())
} catch (error: SatchelException) {
    when (error) {
        is SatchelException.InvalidInput, is SatchelException.Closed -> throw error
        is SatchelException.Refused -> Answer.Refused(error.rule, error.missing, Text(error.textZh, error.textEn))
        is SatchelException.PhotoRejected -> Answer.TakeAgain(Text(error.textZh, error.textEn))
        is SatchelException.SignatureRejected -> Answer.TakeAgain(Text(error.textZh, error.textEn))
        is SatchelException.AlreadyDone -> Answer.Already(error.what)
        is SatchelException.NotFound -> Answer.Gone(error.what)
        is SatchelException.StorageFull -> Answer.StorageFull
        is SatchelException.InviteRejected, is SatchelException.NotEnrolled, is SatchelException.Paused,
        is SatchelException.StoreLocked, is SatchelException.WrongKey, is SatchelException.StoreForeign,
        is SatchelException.StoreDamaged, is SatchelException.StoreFromNewerVersion, is SatchelException.Internal,
        -> Answer.Failed(error)
    }
}
