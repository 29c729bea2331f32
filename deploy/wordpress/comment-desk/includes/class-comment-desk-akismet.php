<?php
/**
 * Where the stock Akismet plugin is active, it is pointed at the desk, which speaks its language.
 *
 * @package Comment_Desk
 */

defined( 'ABSPATH' ) || exit;

/**
 * Rewrites the one host name that the plugin knows.
 */
class Comment_Desk_Akismet {

	const HOST = 'rest.akismet.com';

	/**
	 * Why the desk could not be reached in this request.
	 *
	 * @var WP_Error|null
	 */
	private static $failure = null;

	/**
	 * Hook in.
	 */
	public static function register() {
		add_filter( 'pre_http_request', array( __CLASS__, 'redirect' ), 10, 3 );
		add_filter( 'akismet_get_api_key', array( __CLASS__, 'key' ) );
	}

	/**
	 * Whether the plugin is there and has a key of the desk; then it asks, and this plugin does not ask twice.
	 *
	 * @return bool
	 */
	public static function is_repointed() {
		return class_exists( 'Akismet' ) && '' !== (string) Comment_Desk_Settings::get( 'akismet_key' ) && '' !== (string) Comment_Desk_Settings::get( 'address' );
	}

	/**
	 * Give the plugin the desk's key, unless wp-config.php names one.
	 *
	 * @param string|false $key Its own.
	 * @return string|false
	 */
	public static function key( $key ) {
		return self::is_repointed() ? (string) Comment_Desk_Settings::get( 'akismet_key' ) : $key;
	}

	/**
	 * Send its requests to the desk. The host it meant goes along: an old plugin's key is in it.
	 *
	 * @param false|array|WP_Error $answer  Somebody else's answer.
	 * @param array                $request Arguments.
	 * @param string               $url     Address.
	 * @return false|array|WP_Error
	 */
	public static function redirect( $answer, $request, $url ) {
		$parts = wp_parse_url( $url );
		$host  = isset( $parts['host'] ) ? strtolower( $parts['host'] ) : '';
		if ( false !== $answer || ! self::is_repointed() || ( self::HOST !== $host && '.' . self::HOST !== substr( $host, -strlen( '.' . self::HOST ) ) ) ) {
			return $answer;
		}
		$path = ( isset( $parts['path'] ) ? $parts['path'] : '/' ) . ( isset( $parts['query'] ) ? '?' . $parts['query'] : '' );

		$request['headers']         = is_array( $request['headers'] ) ? $request['headers'] : array();
		$request['headers']['Host'] = $host;
		$request['timeout']         = (int) Comment_Desk_Settings::get( 'timeout_s' );
		if ( null === self::$failure ) {
			// Through TLS or not is what the desk's own address says; the plugin's fallback to plain HTTP does not count.
			$answer        = wp_remote_request( Comment_Desk_Settings::get( 'address' ) . $path, $request );
			self::$failure = is_wp_error( $answer ) ? $answer : null;
		} else {
			$answer = self::$failure; // The plugin tries three times in a row, while a reader waits.
		}
		return is_wp_error( $answer ) && preg_match( '#/comment-check$#D', $path ) ? self::as_the_site_chose( $answer ) : $answer;
	}

	/**
	 * What the plugin is told of a comment while the desk is away. Left to itself, version 5.7 publishes what it got no answer about;
	 * an answer that is neither spam nor ham makes every version hold the comment and ask again.
	 *
	 * @param WP_Error $failure Why there is no answer.
	 * @return array|WP_Error
	 */
	private static function as_the_site_chose( $failure ) {
		if ( 'publish' === Comment_Desk_Settings::get( 'outage' ) ) {
			return $failure;
		}
		return array(
			'headers'  => array( 'x-akismet-guid' => wp_generate_uuid4() ),
			'body'     => 'unavailable',
			'response' => array(
				'code'    => 503,
				'message' => 'Service Unavailable',
			),
			'cookies'  => array(),
			'filename' => null,
		);
	}
}
