package local;

import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.http.HttpServerTransport;
import org.elasticsearch.node.Node;
import org.elasticsearch.plugins.PluginBundle;
import org.elasticsearch.plugins.PluginsLoader;

/**
 * Boots one Elasticsearch node from a home folder: {@code Launcher HOME [setting=value]...}. Prints {@code STARTED port}
 * when it serves. Ends, and deletes HOME, when its standard input closes, which happens even to a parent that is killed.
 */
public final class Launcher {
    public static void main(String[] args) throws Exception {
        Path home = Path.of(args[0]).toAbsolutePath();
        Thread watch = new Thread(() -> endWithParent(home), "end-with-parent");
        watch.setDaemon(true);
        watch.start();
        Settings.Builder settings = Settings.builder().put("path.home", home);
        for (int i = 1; i < args.length; i++) {
            String[] kv = args[i].split("=", 2);
            settings.put(kv[0], kv[1]);
        }
        LogConfigurator.configureESLogging();
        Environment env = new Environment(settings.build(), home.resolve("config"));
        Node node = new Node(env, PluginsLoader.createPluginsLoader(
            bundles("loadModulesBundles", env.modulesDir()), bundles("loadPluginsBundles", env.pluginsDir()), Map.of(), false));
        node.start();
        int port = node.injector().getInstance(HttpServerTransport.class).boundAddress().publishAddress().getPort();
        System.out.println("STARTED " + port);
        Thread.currentThread().join();
    }

    /** Calls a method of PluginsLoader that has a second argument in 9.x, which only logs. */
    @SuppressWarnings("unchecked")
    private static Set<PluginBundle> bundles(String method, Path dir) throws Exception {
        for (Method m : PluginsLoader.class.getMethods()) {
            if (m.getName().equals(method)) {
                return (Set<PluginBundle>) (m.getParameterCount() == 1 ? m.invoke(null, dir) : m.invoke(null, dir, false));
            }
        }
        throw new NoSuchMethodException(method);
    }

    private static void endWithParent(Path home) {
        try {
            while (System.in.read() >= 0) { }
        } catch (IOException e) {
            // as good as closed
        }
        // Two tries: the node may add a file while the first one runs.
        for (int i = 0; i < 2 && Files.exists(home); i++) {
            try (Stream<Path> files = Files.walk(home)) {
                files.sorted(Comparator.reverseOrder()).forEach(f -> f.toFile().delete());
            } catch (Exception e) {
                // a leftover in the temporary folder does no harm
            }
        }
        Runtime.getRuntime().halt(0);
    }
}
