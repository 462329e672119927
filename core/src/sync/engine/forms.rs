//! How batches are written: the leanest form that gets through.

use super::{Engine, Form};

/// Refusals of a form, by somebody who may not be the hub, until a simpler one is tried: one may be a mishap.
const REFUSED_UNTIL_SIMPLER: u32 = 2;

impl Engine {
    pub(crate) fn form(&self) -> Form {
        self.form.min(self.leanest)
    }

    /// The hub did not understand a batch that was written so: an older one is in the place of the one that
    /// named this form.
    pub(crate) fn form_refused(&mut self, form: Form) {
        self.leanest = self.leanest.min(form.simpler());
    }

    pub(crate) fn set_form(&mut self, form: Form) {
        self.form = form;
    }

    /// Somebody on the way will not have a batch: a gateway that knows no media type but JSON's, a filter that takes
    /// bytes for an attack. Where questions get through and batches do not, it may be how they are written. If it is not,
    /// the form is the leanest again.
    pub(crate) fn batch_refused(&mut self, form: Form) {
        self.batches_refused += 1;
        if self.batches_refused < REFUSED_UNTIL_SIMPLER {
            return;
        }
        self.batches_refused = 0;
        match form {
            Form::Json => self.leanest = Form::Lean,
            Form::Packed | Form::Lean => self.form_refused(form),
        }
    }

    /// A batch got through.
    pub(crate) fn batch_taken(&mut self) {
        self.batches_refused = 0;
    }

    /// Nothing gets through, so it is not how batches are written.
    pub(super) fn questions_fail_too(&mut self) {
        self.batches_refused = 0;
    }
}
