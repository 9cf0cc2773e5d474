import java.sql.*;

/** Drives the gateway as an application would. Prints one line per fact; the test compares them. Arguments: port, URL options. */
public class Doors {
    public static void main(String[] arguments) throws Exception {
        String url = "jdbc:mariadb://127.0.0.1:" + arguments[0] + "/test?" + arguments[1];
        try (Connection connection = DriverManager.getConnection(url, "root@t1", "")) {
            try (Statement statement = connection.createStatement()) {
                try (ResultSet rows = statement.executeQuery("select v from own where i = 2")) {
                    rows.next();
                    System.out.println("relayed " + rows.getString(1));
                }
                try (ResultSet rows = statement.executeQuery("show tenants")) {
                    rows.next();
                    rows.next();
                    System.out.println("text " + rows.getLong(1) + " " + rows.getString("TENANT_NAME") + " " + rows.getString(3));
                }
                System.out.println("updated " + statement.executeUpdate("alter system archivelog"));
                for (SQLWarning warning = statement.getWarnings(); warning != null; warning = warning.getNextWarning())
                    System.out.println("warning " + warning.getErrorCode() + " " + warning.getMessage());
                try {
                    statement.execute("alter system set data_backup_dest = 'x'");
                } catch (SQLException refused) {
                    System.out.println("refused " + refused.getErrorCode() + " " + refused.getSQLState() + " "
                        + refused.getMessage().contains("backup can not start, because the reason (do this)"));
                }
            }
            for (int round = 0; round < 2; round++) {
                try (PreparedStatement prepared = connection.prepareStatement("show tenants")) {
                    for (int run = 0; run < 2; run++)
                        try (ResultSet rows = prepared.executeQuery()) {
                            rows.next();
                            System.out.println("prepared rows " + rows.getLong(1) + " " + rows.getString(2));
                        }
                }
            }
            try (PreparedStatement prepared = connection.prepareStatement("alter system archivelog")) {
                System.out.println("prepared update " + prepared.executeUpdate());
                System.out.println("prepared update " + prepared.executeUpdate());
            }
            try (PreparedStatement prepared = connection.prepareStatement("alter system set data_backup_dest = 'x'")) {
                prepared.execute();
            } catch (SQLException refused) {
                System.out.println("prepared refused " + refused.getErrorCode());
            }
            String view = "select status, job_id from oceanbase.DBA_OB_BACKUP_JOBS where job_id = ?";
            try (PreparedStatement prepared = connection.prepareStatement(view)) {
                for (int job = 1; job <= 2; job++) {
                    prepared.setInt(1, job);
                    try (ResultSet rows = prepared.executeQuery()) {
                        System.out.println("view " + (rows.next() ? rows.getString(1) + " " + rows.getInt(2) : "empty"));
                    }
                }
            }
            connection.setCatalog("oceanbase");
            try (Statement statement = connection.createStatement();
                    ResultSet rows = statement.executeQuery("select count(*) from DBA_OB_BACKUP_JOBS")) {
                rows.next();
                System.out.println("bare view " + rows.getInt(1));
            }
            connection.setCatalog("test");
            try (Statement statement = connection.createStatement()) {
                statement.execute("create table if not exists batched(i int primary key, v varchar(20))");
                statement.execute("delete from batched");
            }
            connection.setAutoCommit(false);
            try (PreparedStatement prepared = connection.prepareStatement("insert into batched values (?, ?)")) {
                for (int i = 0; i < 500; i++) {
                    prepared.setInt(1, i);
                    prepared.setString(2, "row " + i);
                    prepared.addBatch();
                }
                System.out.println("batch " + prepared.executeBatch().length);
            }
            connection.commit();
            connection.setAutoCommit(true);
            try (Statement statement = connection.createStatement()) {
                statement.addBatch("insert into batched values (1000, 'a')");
                statement.addBatch("alter system archivelog");
                statement.addBatch("insert into batched values (1001, 'b')");
                int[] counts = statement.executeBatch();
                System.out.println("mixed batch " + counts[0] + " " + counts[1] + " " + counts[2]);
            }
            DatabaseMetaData about = connection.getMetaData();
            try (ResultSet columns = about.getColumns("test", null, "own", null)) {
                int count = 0;
                while (columns.next()) count++;
                System.out.println("columns " + count);
            }
            try (Statement statement = connection.createStatement()) {
                statement.setQueryTimeout(1);
                statement.executeQuery("select sleep(8) from own");
                System.out.println("timeout missed");
            } catch (SQLException late) {
                System.out.println("timeout kept");
            }
            try (Statement statement = connection.createStatement();
                    ResultSet rows = statement.executeQuery("select count(*) from batched")) {
                rows.next();
                System.out.println("after " + rows.getInt(1));
            }
            System.out.println("valid " + connection.isValid(2));
        }
    }
}
