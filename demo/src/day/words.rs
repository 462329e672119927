//! Words for an invented town. Nobody could be meant: the names are colours and playthings, the town
//! lies in the open sea, and the telephone numbers start with digits that no network gives out.

/// The town, as it stands in every address.
pub const TOWN: &str = "灯塔镇(虚构)";

/// The middle of the town: open water of the Yellow Sea, where no town is.
pub const TOWN_CENTRE: (f64, f64) = (36.05, 123.02);

/// Couriers of the virtual phones.
pub const COURIERS: &[&str] = &[
    "海鸥一号",
    "海鸥二号",
    "海鸥三号",
    "海鸥四号",
    "海鸥五号",
    "海鸥六号",
    "海鸥七号",
    "海鸥八号",
    "海鸥九号",
    "海鸥十号",
    "海鸥十一号",
    "海鸥十二号",
];

/// The courier whose phone is in the browser.
pub const YOU: &str = "海鸥零号";

/// Streets.
pub const STREETS: &[&str] = &[
    "云雀路",
    "白杨街",
    "石榴巷",
    "海雾大道",
    "风筝胡同",
    "贝壳街",
    "灯芯草路",
    "浪花里",
    "纸船街",
    "松果路",
    "星鱼巷",
    "蒲公英路",
];

/// Estates along them.
pub const ESTATES: &[&str] = &["月牙湾", "望潮苑", "彩虹里", "珊瑚居", "小帆公馆", "听涛园"];

/// First halves of names.
pub const SURNAMES: &[&str] = &["蓝", "青", "紫", "橙", "银", "墨", "虹", "霜"];

/// Second halves of names.
pub const GIVEN: &[&str] = &[
    "风车", "纸鸢", "木马", "陀螺", "积木", "铃铛", "泡泡", "贝壳", "星星", "棋子", "雪橇", "灯笼",
];

/// What customers write, or leave empty.
pub const COMMENTS: &[&str] = &[
    "很准时,谢谢!",
    "送到家门口,服务很好",
    "Very friendly, thank you",
    "箱子角有点压坏了",
    "电话提醒很及时",
    "",
    "",
    "",
];
