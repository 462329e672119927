//! Tasks for the host, and their outcomes.

/// What kind of network the host has right now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// None, or airplane mode.
    Offline,
    /// One that costs the courier money.
    Metered,
    /// One that does not.
    Unmetered,
}

/// What the host should do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// One HTTP request.
    Http(HttpTask),
    /// Nothing now; ask again later.
    Wait {
        /// Not before this wall time, Unix milliseconds; `None`: when something changes.
        until_ms: Option<i64>,
        /// Why.
        why: WaitReason,
    },
    /// Everything that may be sent now is, and everything is read; the host's loop may end until the next record or
    /// reconnect. Photos that wait for a network that costs nothing stand in the status.
    Done,
}

/// Why there is nothing to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitReason {
    /// No network.
    Offline,
    /// A failed request will be tried again.
    Retry,
    /// Another thread of the host still holds a task.
    InFlight,
}

/// One request, ready to send as it is: every header matters, the body is exact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpTask {
    /// Give it back with the outcome.
    pub id: String,
    /// For a progress display.
    pub purpose: Purpose,
    /// How far the proof is that this request brings on; `None` for all other requests. With what the host's own
    /// stack says of the body on its way this is a progress bar.
    pub upload: Option<UploadPart>,
    /// HTTP method.
    pub method: &'static str,
    /// Absolute URL.
    pub url: String,
    /// Header names and values to send. The host adds only what its HTTP stack must.
    pub headers: Vec<(String, String)>,
    /// Body; empty for none.
    pub body: Vec<u8>,
    /// Stop reading the answer after this many bytes and report what was read.
    pub max_answer_bytes: usize,
}

/// A part of a proof on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UploadPart {
    /// Bytes of the proof that the hub has before this request; the body goes on from there.
    pub from_bytes: u64,
    /// Bytes of the whole proof.
    pub size_bytes: u64,
}

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Registering this phone.
    Enrol,
    /// Sending the evidence log, or asking how much of it the hub has.
    Log,
    /// Reading the route and ratings.
    Feed,
    /// Sending a photo.
    Proof,
    /// Sending the store's key, sealed to the operator's recovery key.
    Escrow,
}

/// What the key in the phone's hardware has to do. It is the host's; the core never sees its private half.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyTask {
    /// The hub takes no phone without a hardware key: make a P-256 key and give its public half to
    /// [`Courier::offer_hardware_key`](crate::Courier::offer_hardware_key).
    Offer,
    /// Sign these bytes (ECDSA with SHA-256) and give the signature to
    /// [`Courier::complete_key_task`](crate::Courier::complete_key_task).
    Sign {
        /// Give it back with the signature.
        id: String,
        /// What it is for.
        purpose: KeyPurpose,
        /// What to sign, exactly; hashing them is part of signing.
        bytes: Vec<u8>,
    },
    /// The hub ordered this phone to be wiped: destroy the key that seals the store's key, then call
    /// [`Courier::complete_key_task`](crate::Courier::complete_key_task) with no signature. The files go then.
    DestroyKey {
        /// Give it back.
        id: String,
        /// Entries that never reached the hub and are lost with the store.
        unsent_entries: u64,
        /// Proofs that never did.
        unsent_proofs: u64,
    },
}

/// What a hardware key vouches for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyPurpose {
    /// The first key of this phone's log.
    Enrolment,
    /// A key that follows another.
    Rotation,
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskOutcome {
    /// An answer came, whatever it says.
    Response {
        /// HTTP status.
        status: u16,
        /// Header names and values as received.
        headers: Vec<(String, String)>,
        /// The body, up to `max_answer_bytes`.
        body: Vec<u8>,
    },
    /// No whole answer came; the hub may or may not have got the request.
    Failed,
}
