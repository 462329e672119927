// Builds the AAR: generated bindings, the package, and the library for each processor.
//
// First, from the root of the repository (cargo-ndk and an NDK; pages of 16 KB and what an app does not need are
// the script's business, docs/adr/0061):
//
//   scripts/bindings --profile mobile
//   scripts/cross build
//
// then here: gradle assembleRelease
plugins {
    id("com.android.library") version "8.11.0"
    id("org.jetbrains.kotlin.android") version "2.2.20"
}

/** Where `scripts/bindings` put the generated Kotlin; `-Psatchel.generated=…` when CARGO_TARGET_DIR is elsewhere. */
val generated = providers.gradleProperty("satchel.generated").orElse("../../target/bindings/mobile/kotlin").get()

group = "satchel"
version = "0.1.0"

android {
    namespace = "satchel.bindings"
    compileSdk = 35

    defaultConfig {
        // java.nio.file.Files and JobInfo.setRequiredNetworkType as the package uses them.
        minSdk = 26
        consumerProguardFiles("consumer-rules.pro")
    }
    sourceSets["main"].kotlin.srcDirs("$generated/sources", "src/main/kotlin", "src/android/kotlin")
    sourceSets["main"].jniLibs.srcDir("build/jniLibs")
    sourceSets["main"].manifest.srcFile("src/android/AndroidManifest.xml")
    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_11
        targetCompatibility = JavaVersion.VERSION_11
    }
    // Uncompressed and page aligned in the APK, so that the system maps it without unpacking.
    packaging.jniLibs.useLegacyPackaging = false
}

kotlin.jvmToolchain(17)

dependencies {
    api("org.jetbrains.kotlinx:kotlinx-coroutines-core:1.10.2")
    // The AAR holds JNA's own native part for each processor; the JAR does not.
    implementation("net.java.dev.jna:jna:5.19.1@aar")
}

/** A library that is not aligned to 16 KB pages is refused by devices that have them. */
tasks.register("checkPageAlignment") {
    val libraries = fileTree("build/jniLibs") { include("arm64-v8a/*.so", "x86_64/*.so") }
    doLast {
        check(!libraries.isEmpty) { "no library under build/jniLibs: run scripts/cross build first" }
        libraries.forEach { file ->
            val bytes = file.readBytes()
            val header = java.nio.ByteBuffer.wrap(bytes).order(java.nio.ByteOrder.LITTLE_ENDIAN)
            val table = header.getLong(0x20).toInt()
            val size = header.getShort(0x36).toInt()
            for (i in 0 until header.getShort(0x38).toInt()) {
                val at = table + i * size
                val isLoad = header.getInt(at) == 1
                check(!isLoad || header.getLong(at + 0x30) >= 16_384) { "${file.name} is not aligned to 16 KB pages" }
            }
        }
    }
}

tasks.matching { it.name == "preBuild" }.configureEach { dependsOn("checkPageAlignment") }
