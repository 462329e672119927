//! What a courier records beside the attempt itself, as the host hands it in and sees it again.

use satchel_protocol::ids::StopId;
use satchel_protocol::taxonomy::CallResult;

/// One try to reach the customer (A036).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallInput {
    /// Where the parcel goes.
    pub stop: StopId,
    /// Who was called. Masked before it is stored, unless it is masked already (A038).
    pub number: String,
    /// Through a virtual number, so that neither side saw the other's.
    pub virtual_number: bool,
    /// How it ended.
    pub result: CallResult,
    /// Length of the conversation.
    pub duration_s: u32,
    /// Record of the phone or of the operator's call system. The same one twice is one call.
    pub call_id: Option<String>,
}

/// A call as recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallView {
    /// Position of its entry in this phone's log.
    pub seq: i64,
    /// When, Unix milliseconds.
    pub at_ms: i64,
    /// Masked number.
    pub number: String,
    /// Through a virtual number.
    pub virtual_number: bool,
    /// How it ended.
    pub result: CallResult,
    /// Length of the conversation.
    pub duration_s: u32,
    /// Record of the phone or of the operator's call system.
    pub call_id: Option<String>,
    /// Until when it counts as contact for a visit, Unix milliseconds.
    pub counts_until_ms: i64,
}
