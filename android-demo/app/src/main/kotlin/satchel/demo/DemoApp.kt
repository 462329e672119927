package satchel.demo

import android.app.Application
import satchel.AndroidKeys
import satchel.AndroidNetwork
import satchel.AndroidSigningKey
import satchel.UrlConnectionTransport

/** Holds the one desk of the app; activities and jobs come and go. */
open class DemoApp : Application() {
    val desk: Desk by lazy { makeDesk() }

    /** Tests on a desktop give other keys: there is no Android keystore. */
    protected open fun makeDesk(): Desk = Desk(
        this, AndroidKeys(), AndroidSigningKey(), UrlConnectionTransport(), polls = UrlConnectionTransport(),
        network = AndroidNetwork(this),
    )
}
