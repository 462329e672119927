package satchel.demo

import android.content.ContentProvider
import android.content.ContentValues
import android.content.Context
import android.database.Cursor
import android.net.Uri
import android.os.ParcelFileDescriptor
import java.io.File

/** Lets the camera app write the one photo it was asked for, and nobody read it. */
class PhotoProvider : ContentProvider() {
    override fun onCreate(): Boolean = true

    override fun openFile(uri: Uri, mode: String): ParcelFileDescriptor =
        ParcelFileDescriptor.open(file(checkNotNull(context) { "not attached yet" }), ParcelFileDescriptor.parseMode("rwt"))

    override fun getType(uri: Uri): String = "image/jpeg"

    override fun query(uri: Uri, p: Array<String>?, s: String?, a: Array<String>?, o: String?): Cursor? = null

    override fun insert(uri: Uri, values: ContentValues?): Uri? = null

    override fun delete(uri: Uri, s: String?, a: Array<String>?): Int = 0

    override fun update(uri: Uri, values: ContentValues?, s: String?, a: Array<String>?): Int = 0

    companion object {
        val URI: Uri = Uri.parse("content://satchel.demo.photo/next.jpg")

        /** Deleted as soon as the core has taken the photo over. */
        fun file(context: Context): File = context.cacheDir.resolve("next.jpg")
    }
}
