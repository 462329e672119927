// Opens in Android Studio. Build the library first: see the head of bindings/kotlin/build.gradle.kts.
pluginManagement {
    repositories {
        google()
        mavenCentral()
    }
}

dependencyResolutionManagement {
    repositories {
        google()
        mavenCentral()
    }
}

rootProject.name = "satchel-android-demo"
include(":app")
includeBuild("../bindings/kotlin") {
    dependencySubstitution {
        substitute(module("satchel:satchel-kotlin")).using(project(":"))
    }
}
