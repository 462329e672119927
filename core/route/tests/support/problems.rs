//! Problems out of bytes: what a property test, a golden test or a fuzzer feeds the planner with.
//!
//! The bytes decide everything, sense and nonsense alike: zeros, extremes, NaN places, inverted windows,
//! stops named twice. Bytes that run out read as zeros, so every prefix is a problem too.

use satchel_route::limits::{MAX_LEG, MAX_TIME};
use satchel_route::{
    Break, Draft, End, LatLng, Objective, Pin, SpeedModel, Start, Stop, Traffic, Travel,
};

/// Reads values out of bytes.
pub(crate) struct Source<'a>(pub(crate) &'a [u8]);

impl Source<'_> {
    /// The next byte.
    pub(crate) fn byte(&mut self) -> u8 {
        match self.0.split_first() {
            Some((first, rest)) => {
                self.0 = rest;
                *first
            }
            None => 0,
        }
    }

    fn wide(&mut self) -> i64 {
        (0..8).fold(0, |value, _| value << 8 | i64::from(self.byte()))
    }

    /// Below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (usize::from(self.byte()) << 8 | usize::from(self.byte())) % bound.max(1)
    }

    fn sometimes(&mut self, of_256: u8) -> bool {
        self.byte() < of_256
    }

    /// Mostly an ordinary time, sometimes one at or beyond the edge of what is allowed.
    fn time(&mut self, wild: bool) -> i64 {
        if wild && self.sometimes(20) {
            let edges = [
                i64::MIN,
                -MAX_TIME - 1,
                -MAX_TIME,
                0,
                MAX_TIME,
                MAX_TIME + 1,
                i64::MAX,
            ];
            return match self.below(edges.len() + 1) {
                at if at < edges.len() => edges[at],
                _ => self.wide(),
            };
        }
        self.below(20_000) as i64 - 2_000
    }

    fn span(&mut self, most: usize, wild: bool) -> i64 {
        if wild && self.sometimes(10) {
            return [-1, 0, MAX_LEG, MAX_LEG + 1, i64::MAX][self.below(5)];
        }
        self.below(most) as i64
    }

    fn place(&mut self, wild: bool) -> Option<LatLng> {
        if wild && self.sometimes(10) {
            let odd = [f64::NAN, f64::INFINITY, -91.0, 181.0, 90.0, -180.0];
            return match self.below(odd.len() + 1) {
                at if at < odd.len() => Some(LatLng {
                    lat: odd[at],
                    lng: odd[self.below(odd.len())],
                }),
                _ => None,
            };
        }
        Some(LatLng {
            lat: 37.4 + self.below(4_000) as f64 / 20_000.0,
            lng: 121.3 + self.below(4_000) as f64 / 20_000.0,
        })
    }

    fn stop(&mut self, wild: bool) -> Stop {
        let open = self.time(wild);
        let width = [0, 300, 3_000, 30_000][self.below(4)];
        let close = if wild && self.sometimes(10) {
            self.time(true)
        } else {
            open.saturating_add(width)
        };
        Stop {
            open,
            close,
            service: self.span(400, wild),
            weight: match self.below(8) {
                0 if wild => [0, u16::MAX][self.below(2)],
                1 => 50,
                2 => 3,
                _ => 1,
            },
            zone: self.below(3) as u16,
            pin: None,
            place: self.place(wild),
        }
    }

    fn travel(&mut self, places: usize, wild: bool) -> Travel {
        let model = SpeedModel::default();
        if self.sometimes(128) {
            return Travel::Estimated(model);
        }
        let cells = places * places + if wild && self.sometimes(5) { 1 } else { 0 };
        let most = [3, 400, 5_000][self.below(3)];
        let cells = (0..cells)
            .map(|_| match self.byte() {
                // Known for the rest: a partial matrix.
                0 | 1 => None,
                2 if wild => Some([0, MAX_LEG as u32, u32::MAX][self.below(3)]),
                _ => Some(self.below(most) as u32),
            })
            .collect();
        Travel::Matrix(cells, model)
    }

    fn traffic(&mut self, places: usize, wild: bool) -> Traffic {
        let band_ends: Vec<i64> = match self.below(3) {
            0 => vec![],
            1 => vec![1_000, 5_000],
            _ if wild => vec![self.time(true), self.time(true)],
            _ => vec![300],
        };
        let bands = band_ends.len() + usize::from(!(wild && self.sometimes(8)));
        let mut speed = || match self.below(6) {
            0 if wild => [0, 1, 1_000_001][self.below(3)],
            1 => 250_000,
            2 => 999_999,
            _ => 1_000_000,
        };
        let speeds = (0..3)
            .map(|_| (0..bands).map(|_| speed()).collect())
            .collect();
        let classes = match self.below(2) {
            0 => Vec::new(),
            _ => (0..places * places).map(|_| self.below(3) as u8).collect(),
        };
        Traffic {
            band_ends,
            speeds,
            classes,
        }
    }

    /// Rules; ones that some order keeps unless `wild`.
    fn rules(&mut self, draft: &mut Draft, wild: bool) {
        let count = draft.stops.len();
        if count == 0 {
            return;
        }
        let mut order: Vec<usize> = (0..count).collect();
        for k in (1..count).rev() {
            order.swap(k, self.below(k + 1));
        }
        let frozen = self.below(3).min(count);
        draft.frozen = order[..frozen].to_vec();
        for _ in 0..self.below(3) {
            let at = self.below(count);
            draft.stops[order[at]].pin = Some(Pin::At(at));
        }
        if self.sometimes(60) && frozen < count {
            draft.stops[order[frozen]].pin = Some(Pin::First);
        }
        for _ in 0..self.below(4) {
            let (a, b) = (self.below(count), self.below(count));
            if a != b {
                draft.before.push((order[a.min(b)], order[a.max(b)]));
            }
        }
        if wild && self.sometimes(30) {
            let any = |source: &mut Self| source.below(count + 2);
            match self.below(5) {
                0 => draft.frozen.push(any(self)),
                1 => draft.before.push((any(self), any(self))),
                2 => draft.stops[0].pin = Some(Pin::At(any(self))),
                3 => draft.known = Some((vec![any(self), any(self)], 7)),
                _ => draft
                    .stops
                    .iter_mut()
                    .for_each(|stop| stop.pin = Some(Pin::Last)),
            }
        }
    }

    /// A problem; with `wild` also ones that must be refused.
    pub(crate) fn draft(&mut self, most: usize, wild: bool) -> Draft {
        let count = self.below(most + 1);
        let stops = (0..count).map(|_| self.stop(wild)).collect();
        let earliest = self.time(wild);
        let start = Start {
            earliest,
            latest: earliest.saturating_add([0, 600, 5_000][self.below(3)]),
            place: self.place(wild),
        };
        let mut draft = Draft::new(start, stops, Travel::Estimated(SpeedModel::default()));
        draft.end = match self.below(4) {
            0 => End::Start,
            1 => End::Place(self.place(wild)),
            _ => End::Free,
        };
        draft.objective = [
            Objective::Completion,
            Objective::Travel,
            Objective::Duration,
        ][self.below(3)];
        draft.travel = self.travel(draft.places(), wild);
        if self.sometimes(60) {
            draft.shift_end = Some((self.time(wild), 5));
        }
        if self.sometimes(50) {
            draft.zone_change = 40;
        }
        if self.sometimes(60) {
            draft.traffic = Some(self.traffic(draft.places(), wild));
        }
        if self.sometimes(50) {
            let at = self.time(wild);
            let span = self.span(900, wild);
            draft.breaks = vec![Break { at, span }];
        }
        self.rules(&mut draft, wild);
        draft
    }
}
