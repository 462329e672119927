//! The self-hostable hub: it takes the evidence log and the proofs of couriers' phones and answers
//! with signed receipts, feeds routes down, takes customers' ratings and shows a board.
//!
//! [`Hub`] is the whole server as a value: [`Hub::open`] on a data directory, [`Hub::serve`] on a
//! listener. The binary `satchel-hub` is a thin command line over it.
//!
//! Inside, requests go `api`/`pages` → `ingest`, `rating` → `store` → SQLite. Only the log is truth:
//! what the tables of attempts and parcels say is projected from it and can be rebuilt ([`Hub::rebuild`]).

mod api;
mod audit;
mod bell;
mod blobs;
mod care;
mod choices;
mod clock;
mod codes;
mod consents;
mod db;
mod doorstep;
mod doubts;
mod entropy;
mod erase;
mod error;
mod evidence;
mod export;
mod files;
mod forks;
mod hub;
mod i18n;
pub mod import;
mod ingest;
mod intake;
mod journal;
mod keys;
mod manifest;
mod mask;
mod metrics;
mod orders;
mod pages;
mod people;
mod policy;
mod project;
mod publish;
mod rating;
mod ready;
mod reassign;
mod receipts;
mod serving;
mod shares;
mod space;
mod store;
mod sweep;
mod times;
mod tlog;
mod tracking;
mod uploads;
mod visitor;
mod wedges;

pub use api::openapi_json;
pub use audit::{AttemptAudit, Audit, DeviceAudit, ParcelAudit, ProofAudit, RatingAudit};
pub use clock::{Clock, SimClock, SystemClock};
pub use consents::ConsentFault;
pub use doorstep::{HubStep, NoSuchStep, ParcelRef};
pub use entropy::{Entropy, OsEntropy, SeededEntropy};
pub use erase::Erased;
pub use error::HubError;
pub use export::ExportImport;
pub use hub::{Hub, HubConfig};
pub use intake::{ImportOptions, ImportReport, RoundReport};
pub use journal::JournalCheck;
pub use orders::WipeReport;
pub use pages::down_page;
pub use policy::new_recovery_key;
pub use publish::{AnswerFault, RegimeFault, RuleSetFault, SettingFault, TrafficFault};
pub use serving::open_many;
pub use shares::CustomerLink;
pub use tlog::{BadWitness, Published, Witness};
pub use wedges::OpenPosition;
