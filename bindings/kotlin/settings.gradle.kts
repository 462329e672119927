// The package as an Android library. `pom.xml` builds the same sources as a JAR for the JVM.
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

rootProject.name = "satchel-kotlin"
